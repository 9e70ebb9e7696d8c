"""The tutorials' programs as scripts of our own: each file runs by itself with torch alone, and imports no other.

Their notes are comments, which lstm_core/lessons/program.py reads; what they print for a note begins with its [number].
"""
