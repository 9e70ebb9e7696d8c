"""What a move of the hand costs: the slider over the training on Gates, the cursor of the Stage, and its input.

    python -m tests.benchmarks.scrub

In Chromium without a GPU. On Gates every move asks the server for another trace; the Stage asks for nothing, which is
counted. A grab of the input in the middle of the window moves once a frame (Playwright's own moves come 25 times a
second), at 1280 pixels, with the maps of now − before and the cell redrawn each time; what was drawn is counted, too.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from lstm_core.data.generators import generate
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.training.checkpoint import save_checkpoint
from lstm_core.training.trainer import Trainer
from tests.browser.conftest import chromium, server
from tests.browser.on_stage import mount
from tests.browser.stage_page import stage_server
from tests.browser.tab import Tab
from tests.factories import scene_of

UNITS, MOVES, SECONDS = 128, 40, 4.0

# Milliseconds from each move of the slider to the last of the six heatmaps being painted.
SLIDE = """(moves) => new Promise((done) => {
  const range = document.querySelector('.epoch-slider input'), taken = [];
  const put = CanvasRenderingContext2D.prototype.putImageData;
  let begin = 0, painted = 0;
  range.value = Number(range.max) - 1; // the last one kept has the weights of now: moving to it would paint nothing
  const move = () => {
    painted = 0;
    begin = performance.now();
    range.value = (Number(range.value) > 0 ? Number(range.value) : Number(range.max)) - 1;
    range.dispatchEvent(new Event('input', { bubbles: true }));
  };
  CanvasRenderingContext2D.prototype.putImageData = function (...all) {
    put.apply(this, all);
    if (++painted < 6) return;
    taken.push(performance.now() - begin);
    if (taken.length < moves) setTimeout(move, 150); else done(taken);
  };
  move();
})"""
# [frames a second, milliseconds of script a frame] while the time slider is dragged to and fro.
SCRUB = """(duration) => new Promise((done) => {
  const range = document.querySelector('.stage-bar input[type=range]'), last = Number(range.max);
  const begin = performance.now(), asked = window.requestAnimationFrame;
  let frames = 0, step = 0, way = 1, busy = 0;
  window.requestAnimationFrame = (act) => asked((now) => {
    const start = performance.now();
    act(now);
    busy += performance.now() - start;
  });
  const frame = () => {
    const now = performance.now();
    if (now - begin > duration) {
      window.requestAnimationFrame = asked;
      return done([1000 * frames / (now - begin), busy / frames]);
    }
    frames += 1;
    step += way * 3;
    if (step <= 0 || step >= last) way = -way;
    range.value = step;
    range.dispatchEvent(new Event('input', { bubbles: true }));
    asked(frame);
  };
  asked(frame);
})"""

# [frames a second, milliseconds of script a frame, maps painted a frame] while a held point goes up and down.
DRAG = """([duration, x, y]) => new Promise((done) => {
  const series = document.querySelector('.stage-series'), asked = window.requestAnimationFrame;
  const put = CanvasRenderingContext2D.prototype.putImageData, begin = performance.now();
  let frames = 0, busy = 0, painted = 0;
  const timed = (act) => { const start = performance.now(); act(); busy += performance.now() - start; };
  window.requestAnimationFrame = (act) => asked((now) => timed(() => act(now)));
  CanvasRenderingContext2D.prototype.putImageData = function (...all) { painted++; put.apply(this, all); };
  const frame = () => {
    const now = performance.now();
    if (frames && now - begin > duration) {
      window.requestAnimationFrame = asked;
      CanvasRenderingContext2D.prototype.putImageData = put;
      return done([1000 * frames / (now - begin), busy / frames, painted / frames]);
    }
    frames += 1;
    const clientY = y + 18 * Math.sin(now / 150);
    timed(() => series.dispatchEvent(new PointerEvent('pointermove', {
      pointerId: 1, pointerType: 'mouse', clientX: x, clientY, bubbles: true,
    })));
    asked(frame);
  };
  asked(frame);
})"""
POINT = """(step) => {
  const { view } = stage.strip, { left, top } = view.holder.getBoundingClientRect(), [line] = view.main;
  return [left + view.x(step), top + line.toY(line.values[step])];
}"""
GRABBED = ((32, 100, 1, 55), (128, 200, 1, 45), (128, 500, 2, 25))  # units, steps, layers, frames a second to reach


def model_file(seq_len: int) -> bytes:
    """A model of UNITS units that was trained for some steps on windows of this length."""
    table = generate(DataSpec(source="generator", name="sine", length=1500))
    named = {"source": "generator", "name": "sine", "length": 1500, "seq_len": seq_len}
    data = DataSpec(**(dataclasses.asdict(table.roles) | named))
    trainer = Trainer(make_windows(table, data), Experiment(data, ModelSpec(hidden_size=UNITS), TrainSpec(epochs=4)))
    list(trainer)
    return save_checkpoint(trainer, {})


def opened(browser: Browser, address: str, seq_len: int) -> tuple[Tab, list]:
    """A tab whose run is such a model, and all that the page sends to the server from then on."""
    tab, sent = Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address), []
    tab.page.on("request", lambda request: sent.append(request))
    tab.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    tab.open("train")
    tab.page.get_by_text("Save or load the trained model").click()
    file = {"name": "model.safetensors", "mimeType": "application/octet-stream", "buffer": model_file(seq_len)}
    tab.widget("model_file").locator("input[type=file]").set_input_files(file)
    tab.page.get_by_text("The model is loaded").wait_for()
    return tab, sent


def grab(browser: Browser, address: str, units: int, steps: int, layers: int) -> tuple[list[float], float]:
    """(what DRAG gives, milliseconds that the first frame of a grab takes), of a model that has hardly learned."""
    table = generate(DataSpec(source="generator", name="sine", length=10 * steps + 400))
    named = {"source": "generator", "name": "sine", "length": 10 * steps + 400, "seq_len": steps}
    data = DataSpec(**(dataclasses.asdict(table.roles) | named))
    *_, header, arrays = scene_of({"hidden_size": units, "num_layers": layers}, make_windows(table, data), steps=1)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{address}/stage")
    page.locator(".stage-bar").wait_for()
    mount(page, header, arrays)
    page.wait_for_timeout(2500)  # idle: the first grab is prepared
    x, y = page.evaluate(POINT, steps // 2)
    page.mouse.move(x, y)
    page.mouse.down()
    first = page.evaluate(DRAG, [1, x, y + 9])[1]
    measured = page.evaluate(DRAG, [1000 * SECONDS, x, y])
    page.mouse.up()
    page.close()
    return measured, first


def main() -> None:
    load = os.getloadavg()[0]
    print(f"load {load:.1f}; the more others run on these cores, the fewer frames")
    with chromium() as browser, stage_server() as address:
        for units, steps, layers, aim in GRABBED:
            (rate, busy, maps), first = grab(browser, address, units, steps, layers)
            size = f"{units} units × {steps} steps{f' × {layers} layers' * (layers > 1)}"
            print(
                f"Grab, {size}: {rate:.0f} frames a second, {busy:.1f} ms of script and {maps:.1f} maps a frame, "
                f"{first:.0f} ms the first  (aim {aim})"
            )
    print(f"{os.cpu_count()} cores; Chromium without a GPU on the same machine; {UNITS} units\n")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, server(Path(folder) / "log.txt") as address:
        tab = opened(browser, address, 200)[0].go("Gates")
        tab.page.locator(".epoch-slider input").wait_for()
        tab.page.wait_for_timeout(2000)
        taken = tab.page.evaluate(SLIDE, MOVES)
        middle, slow = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(f"Gates, 200 steps: {middle:.0f} ms a move of the epoch slider, 95 % within {slow:.0f} ms  (aim 100)")
        tab, sent = opened(browser, address, 500)
        tab.go("Stage").page.locator(".stage-bar").wait_for()
        tab.page.wait_for_timeout(6000)  # it has asked for the talk that ships, once
        sent.clear()
        for depth, key in (("network", None), ("cell", "+")):
            for _ in range(2 if key else 0):
                tab.page.keyboard.press(key)
                tab.page.wait_for_timeout(1000)
            rate, busy = tab.page.evaluate(SCRUB, 1000 * SECONDS)
            pace = f"{rate:.0f} frames a second while scrubbing, {busy:.1f} ms of script a frame"
            print(f"Stage, {depth}, 500 steps: {pace}  (aim 50)")
        print(f"Stage: {len(sent)} requests and messages sent while scrubbing  (aim 0)")


if __name__ == "__main__":
    main()
