"""LSTM Playground: page config, navigation and the run's status; the server. Start it with `streamlit run app.py`."""

import gc
import sys

import streamlit as st


def draw_page() -> None:
    """The page that the visitor is on."""
    st.set_page_config("LSTM Playground", page_icon="📈", layout="wide")
    is_first = "torch" not in sys.modules
    if is_first:
        gc.disable()  # the first visit imports 300,000 objects that stay: walking them took 0.45 s of 2.7

    from pages.shared import theme  # set_page_config comes first: it paints at once
    from pages.shared.components import address
    from pages.shared.session import state
    from pages.shared.training import run_status

    theme.apply()
    page = st.navigation(
        [
            st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
            st.Page("pages/lessons.py", title="Lessons", icon=":material/school:"),
            st.Page("pages/data.py", title="Data", icon=":material/table_chart:"),
            st.Page("pages/model.py", title="Model", icon=":material/account_tree:"),
            st.Page("pages/train.py", title="Train", icon=":material/show_chart:"),
            st.Page("pages/gates.py", title="Gates", icon=":material/grid_on:"),
            st.Page("pages/stage.py", title="Stage", icon=":material/play_circle:"),
            st.Page("pages/forecast.py", title="Forecast", icon=":material/trending_up:"),
            st.Page("pages/understand.py", title="Understand", icon=":material/psychology:"),
            st.Page("pages/sweep.py", title="Sweep", icon=":material/tune:"),
            st.Page("pages/runs.py", title="Runs", icon=":material/format_list_bulleted:"),
        ]
    )
    try:
        page.run()
        run_status.sidebar_status(page.title)  # after the page, whose first plot needs no run
        address.show(page.title)
        run_status.browser_title(page.title)
    finally:
        if is_first:
            gc.freeze()  # nor does any later collection walk them, which would hold up the training for 0.1 s
            gc.enable()
    state.preload()


if __name__ == "__main__":  # a visit: Streamlit runs this file anew each time
    draw_page()
else:  # the server, which imports it once, before anybody visits
    from streamlit.runtime.pages_manager import PagesManager

    from pages.shared.server import talks
    from pages.shared.server.callbacks import keep_callbacks_whole
    from pages.shared.server.routes import routes
    from pages.shared.server.security import middleware

    # Else a first visit by a link such as /train opens pages/train.py alone: Streamlit takes a folder called pages for
    # its older kind of app until st.navigation has run once.
    PagesManager.uses_pages_directory = False
    keep_callbacks_whole()
    app = st.App(__file__, routes=[*routes(), *talks.routes()], middleware=middleware())
