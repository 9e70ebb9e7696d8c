"""An app of one page: the curves of one run, whose records the browser reads by itself. Not a test: what tests open."""

import streamlit as st

if __name__ == "__main__":
    from lstm_core.figures.theme import SLATE, TRAIN_COLOR, VALID_COLOR
    from pages.shared.components.live_plot import RecordLine, live_plot

    run = {
        "records_url": f"run/{st.query_params['run']}",
        "steps_per_epoch": 10,
        "active": "still" not in st.query_params,
    }
    st.session_state.scripts = st.session_state.get("scripts", 0) + 1
    st.title(f"{st.session_state.scripts} script")
    lines = [
        RecordLine("training <b>", "train_loss", "extremes", TRAIN_COLOR, width=1, opacity=0.4),
        RecordLine("validation", "valid_loss", "mean", VALID_COLOR, width=3),
        RecordLine("smoothed", "train_loss", "smoothed", TRAIN_COLOR, width=2.5),
    ]
    live_plot("loss_curve", lines, x_title="epoch", y_title="loss", log_y=True, revision="1", **run)
    norm = [RecordLine("gradient norm", "grad_norm", "extremes", SLATE, width=1.5)]
    live_plot("grad_curve", norm, x_title="epoch", y_title="norm", log_y=True, revision="1", **run)
else:
    from pages.shared.server.routes import routes
    from pages.shared.server.security import middleware

    app = st.App(__file__, routes=routes(), middleware=middleware())
