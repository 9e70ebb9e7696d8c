"""tmp"""


def has_notebook(name):
    return True
