"""The lesson on the forget gate's initial bias, and on how many seeds it helps at which length."""
