"""What the tests of films share: reading the files that are recorded, and holding a frame beside the screen."""

from __future__ import annotations

import base64
import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page

NOTICED = 24  # of 255: a difference in a channel that somebody could notice
MASTERS = {0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x1549A966, 0x1F43B675, 0x1C53BB6B, 0xBB, 0xB7, 0x1A45DFA3}
BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}

# Shows a step of the stage as the film does, and paints it on a canvas without encoding it.
PAINT = """async ([width, height, step, line]) => {
  const part = (path) => import(`/modules/stage/film/${path}.js`), { stage } = window;
  const [{ Studio }, { Painter }, captions] = [await part('studio'), await part('paint/page'), await part('captions')];
  const studio = new Studio(stage), band = captions.mount(stage.element, stage.state, line);
  await studio.enter({ width, height }, { cancel() {} }, () => band.update());
  await studio.show({ step }, performance.now());
  await studio.repaint(`${width} ${height}, to be painted`);
  band.update();
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const painter = new Painter(stage.element);
  painter.paint(canvas.getContext('2d'));
  painter.stop();
  window.leaveFilm = async () => { band.element.remove(); await studio.leave(); };
  return canvas.toDataURL();
}"""
# The film as a video: its length and size, and one frame of it as a picture.
PLAY = """async ([base64, type, at]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const video = document.createElement('video');
  const event = (name) => new Promise((done, failed) => {
    video.addEventListener(name, done, { once: true });
    video.addEventListener('error', () => failed(video.error), { once: true });
  });
  video.src = URL.createObjectURL(new Blob([bytes], { type }));
  await event('loadeddata');
  video.currentTime = at;
  await event('seeked');
  const { videoWidth: width, videoHeight: height, duration, currentTime } = video;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  do { // a frame that has been sought may not be there yet: then nothing is drawn
    await new Promise(requestAnimationFrame);
    pen.drawImage(video, 0, 0);
  } while (!pen.getImageData(0, 0, 1, 1).data[3]);
  return { width, height, duration, currentTime, picture: canvas.toDataURL() };
}"""


@dataclass(frozen=True)
class FilmFile:
    """What a player finds in it. frames: their sizes in bytes; times: of each in s; keys: which can be jumped to."""

    size: tuple[int, int]
    duration: float
    frames: list[int]
    times: list[float]
    keys: list[int]


def open_panel(page: Page) -> None:
    page.get_by_role("button", name="Export").click()
    page.locator(".stage-menu-export button", has_text="Film").click()
    page.locator(".film-record:enabled").wait_for()


def choose(page: Page, **choices: str) -> None:
    """Sets fields of the panel by their labels; underscores stand for spaces."""
    for label, value in choices.items():
        field = page.locator(".film-panel").get_by_label(label.replace("_", " "), exact=True)
        kind = field.evaluate("field => field.type")
        if kind == "checkbox":
            field.set_checked(value == "on")
        else:
            field.select_option(value) if kind == "select-one" else field.fill(value)


def record(page: Page) -> tuple[str, bytes]:
    with page.expect_download(timeout=120_000) as download:
        page.locator(".film-record").click()
    page.locator(".stage-menu-film").get_by_text(f"Saved as {download.value.suggested_filename}").wait_for()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def screen_and_frame(page: Page, size: tuple[int, int], step: int, line: str = "") -> tuple[np.ndarray, np.ndarray]:
    """The stage as the screen shows it in the film's size, and as the film paints it: (height, width, 3) both."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    painted = picture(page.evaluate(PAINT, [*size, step, line]))
    clip = {"x": 0, "y": 0, "width": size[0], "height": size[1]}
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).astype(int)
    page.evaluate("window.leaveFilm()")
    return screen, painted


def play(page: Page, name: str, content: bytes, at: float) -> dict[str, Any]:
    """The film in the browser's own player, `at` seconds from its beginning."""
    kind = "video/webm" if name.endswith("webm") else "video/mp4"
    found = page.evaluate(PLAY, [base64.b64encode(content).decode(), kind, at])
    return found | {"picture": picture(found["picture"])}


def picture(data_url: str) -> np.ndarray:
    content = base64.b64decode(data_url.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def share_noticed(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that differ by more than NOTICED in a channel."""
    assert one.shape == other.shape
    return float((np.abs(one - other).max(axis=2) > NOTICED).mean())


def shares_noticed_decoded(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The same of a film's decoded frame: of its brightness at each pixel, and of its colours over two by two.

    Films for everybody's player hold colours at half the resolution (4:2:0), as the eye sees them: the edge of a
    saturated colour is exact in brightness and a pixel wider in colour.
    """
    brightness = np.array([0.2126, 0.7152, 0.0722])  # of BT.709
    by_pixel = float((np.abs((one - other) @ brightness) > NOTICED).mean())
    height, width, _ = one.shape
    halves = [picture.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3)) for picture in (one, other)]
    return by_pixel, share_noticed(*halves)


def read_webm(content: bytes) -> FilmFile:
    found: list[tuple[int, int, bytes]] = []  # id, place in the file, content
    _elements(content, 0, len(content), found)
    number = {id: int.from_bytes(data, "big") for id, _, data in found if len(data) <= 8}
    tick = number[0x2AD7B1] / 1e9
    (duration,) = (struct.unpack(">d", data)[0] for id, _, data in found if id == 0x4489)
    frames, times, keys, cluster = [], [], [], 0
    for id, _, data in found:
        if id == 0xE7:
            cluster = int.from_bytes(data, "big")
        if id == 0xA3:
            keys += [len(frames)] if data[3] & 0x80 else []
            times.append((cluster + struct.unpack(">h", data[1:3])[0]) * tick)
            frames.append(len(data) - 4)
    # The index: each entry names a cluster's time, and where it begins, counted from the segment's content.
    (segment,) = (place for id, place, _ in found if id == 0x18538067)
    clusters = {place - 12 - segment for id, place, _ in found if id == 0x1F43B675}
    assert {int.from_bytes(data, "big") for id, _, data in found if id == 0xF1} == clusters
    return FilmFile((number[0xB0], number[0xBA]), duration * tick, frames, times, keys)


def _elements(content: bytes, start: int, end: int, found: list) -> None:
    while start < end:
        width = 9 - content[start].bit_length()
        id = int.from_bytes(content[start : start + width], "big")
        start += width
        width = 9 - content[start].bit_length()
        size = int.from_bytes(content[start : start + width], "big") & ((1 << 7 * width) - 1)
        start += width
        found.append((id, start, b"" if id in MASTERS else content[start : start + size]))
        if id in MASTERS:
            _elements(content, start, start + size, found)
        start += size
    assert start == end


def read_mp4(content: bytes) -> FilmFile:
    found: dict[bytes, tuple[int, bytes]] = {}
    _boxes(content, 0, len(content), found)
    box = {name: data for name, (_, data) in found.items()}
    scale, duration = struct.unpack(">IQ", box[b"mdhd"][20:32])
    _, count, each = struct.unpack(">III", box[b"stts"][4:16])
    sizes = list(struct.unpack(f">{count}I", box[b"stsz"][12:]))
    keys = [key - 1 for key in struct.unpack(f">{(len(box[b'stss']) - 8) // 4}I", box[b"stss"][8:])]
    assert struct.unpack(">Q", box[b"co64"][8:])[0] == found[b"mdat"][0] and sum(sizes) == len(box[b"mdat"])
    width, height = struct.unpack(">II", box[b"tkhd"][-8:])
    times = [k * each / scale for k in range(count)]
    return FilmFile((width >> 16, height >> 16), duration / scale, sizes, times, keys)


def _boxes(content: bytes, start: int, end: int, found: dict) -> None:
    while start < end:
        size, name = struct.unpack(">I4s", content[start : start + 8])
        head = 8
        if size == 1:
            (size,), head = struct.unpack(">Q", content[start + 8 : start + 16]), 16
        found[name] = (start + head, content[start + head : start + size])
        if name in BOXES:
            _boxes(content, start + head, start + size, found)
        start += size
    assert start == end
