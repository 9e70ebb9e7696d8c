"""What a film costs: milliseconds a frame, and seconds for ten seconds of film, at both sizes.

    python -m tests.benchmarks.film

In Chromium without a GPU, of the trained example, with the cell and captions, at the stage's own speed. `show`: the
step is set and what moves goes on; `paint`: a frame that has changed is painted; `wait`: the frame is handed over, and
the encoder has enough to do. The encoder works beside the page.
"""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import chromium
from tests.browser.on_stage import open_stage
from tests.browser.stage_page import stage_server
from tests.browser.tab import Tab

SECONDS = 10
SIZES, RATES = [(1280, 720), (1920, 1080)], (30, 60)

# Records so many seconds as film.js does, and takes the time of each part.
RECORD = """async ([width, height, fps, seconds, name]) => {
  const part = (path) => import(`/modules/stage/film/${path}.js`), { stage } = window, { element, state } = stage;
  const [{ Film, formatsFor }, { Painter }] = [await part('encoder'), await part('paint/page')];
  const captions = await part('captions');
  const [{ planOf }, { Studio, pause }] = [await part('plan'), await part('studio')], studio = new Studio(stage);
  const format = (await formatsFor({ width, height, fps })).find((one) => one.name === name);
  if (!format) return null;
  const band = captions.mount(element, state, 'A film'), to = state.scene.steps - 1;
  const plan = planOf({ from: 0, to, rate: 4, fps });
  await studio.enter({ width, height }, { cancel() {} }, () => band.update());
  const canvas = Object.assign(document.createElement('canvas'), { width, height }), pen = canvas.getContext('2d');
  const painter = new Painter(element), film = new Film(format, fps), frames = seconds * fps;
  const taken = { show: 0, paint: 0, wait: 0 }, begin = performance.now();
  let last = begin, painted = 0;
  const lap = (name) => { const now = performance.now(); taken[name] += now - last; last = now; };
  for (let frame = 0; frame < frames; frame++) {
    last = performance.now();
    const before = state.step, step = plan.at(frame % plan.frames);
    const moving = await studio.show({ step }, begin + (frame * 1000) / fps);
    lap('show');
    if (!frame || step !== before || moving.length) {
      band.update();
      painter.paint(pen, moving);
      painted++;
    }
    lap('paint');
    await film.add(canvas);
    lap('wait');
    await pause();
  }
  const { size } = await film.finish(), whole = (performance.now() - begin) / frames;
  film.stop();
  painter.stop();
  band.element.remove();
  await studio.leave();
  return { show: taken.show / frames, paint: taken.paint / painted, wait: taken.wait / frames, whole, size };
}"""


def measure(page: Page) -> None:
    head = ["file", "size", "frames/s", "show", "paint", "wait", "ms a frame", f"s for {SECONDS} s", "MB"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name in ("VP9", "H.264"):
        for width, height in SIZES:
            for fps in RATES:
                found = page.evaluate(RECORD, [width, height, fps, SECONDS, name])
                if found is None:
                    print(f"| {name} | this Chromium encodes none |")
                    continue
                times = [f"{found[part]:.1f}" for part in ("show", "paint", "wait", "whole")]
                whole, size = found["whole"] * SECONDS * fps / 1000, found["size"] / 1e6
                row = [name, f"{width} × {height}", str(fps), *times, f"{whole:.1f}", f"{size:.1f}"]
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    with chromium() as browser, stage_server() as address:
        measure(open_stage(Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address)))
