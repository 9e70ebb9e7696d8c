"""Who trains, where and when."""
