"""Sweep: many settings of the experiment on the table, tried as runs; the best one wins and is put on the table."""

import streamlit as st

from pages.shared.runs.shelf import clean_up
from pages.shared.session import state
from pages.shared.session.messages import draw_messages
from pages.shared.sweeps import form, live, picker
from pages.shared.sweeps.shelf import chosen, sweep_shelf

state.workspace()  # which lets app.py draw the page first
clean_up()
mine = sweep_shelf().sweeps(state.owner())
one = chosen(mine)
row = st.container(horizontal=True, vertical_alignment="center")
row.container(width="stretch").title("Sweep")
picker.pick(row, mine, one)
draw_messages("sweep")
picker.undo_deletion()
if one is None:
    form.form()
else:
    live.show(one)
picker.trash()
