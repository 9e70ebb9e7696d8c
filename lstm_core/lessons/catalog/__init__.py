"""The lessons: one file each, or a folder whose `__init__` names its LESSONS."""
