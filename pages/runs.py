"""Runs: all runs on this machine, to open, name, compare, export and delete; two to six of them side by side."""

import streamlit as st

from pages.shared.runs import comparison, run_list
from pages.shared.runs.shelf import clean_up
from pages.shared.session import state
from pages.shared.session.messages import draw_messages

state.workspace()  # which lets app.py draw the page first
clean_up()
compared = comparison.compared_runs()
st.title("Compare runs" if compared else "Runs")
draw_messages("runs")
if compared:
    comparison.show(compared)
else:
    run_list.show()
