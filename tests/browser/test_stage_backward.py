"""The gradient on the Stage: the browser's backward pass against torch.autograd, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.on_stage import MODELS, last, mount, packed, press, set_state, state
from tests.factories import labelled, scene_of

RUN = """async (bytes) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { gradientOf } = await import("/modules/stage/backward/gradients.js");
  const scene = decode(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  const work = gradientOf(scene, scene.trace, scene.weights);
  let slice = work.next();
  while (!slice.done) slice = work.next();
  const { asked, layers, input } = slice.value, list = (values) => Array.from(values);
  return [asked, layers.map((row) => row.map(({ c, h }) => ({ c: list(c), h: list(h) }))), list(input)];
}"""


def stepped(lstm: torch.nn.LSTM, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
    """nn.LSTM step by step, in x's precision: (outputs, (layer, direction, name, step) → c and h, kept for autograd).

    x: (seq_len, input_size); outputs: (seq_len, directions · h_size).
    """
    nodes, steps = {}, len(x)
    for layer in range(lstm.num_layers):
        outputs = []
        for direction in range(2 if lstm.bidirectional else 1):
            suffix = f"_l{layer}{'_reverse' if direction else ''}"
            weight = {name: getattr(lstm, f"{name}{suffix}", None) for name in ("weight_ih", "weight_hh", "weight_hr")}
            bias = getattr(lstm, f"bias_ih{suffix}") + getattr(lstm, f"bias_hh{suffix}") if lstm.bias else 0
            h, c = x.new_zeros(lstm.proj_size or lstm.hidden_size), x.new_zeros(lstm.hidden_size)
            found = [None] * steps
            for t in reversed(range(steps)) if direction else range(steps):
                i, f, g, o = (weight["weight_ih"] @ x[t] + weight["weight_hh"] @ h + bias).chunk(4)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                h = h if weight["weight_hr"] is None else weight["weight_hr"] @ h
                for name, node in (("c", c), ("h", h)):
                    node.retain_grad()
                    nodes[layer, direction, name, t] = node
                found[t] = h
            outputs.append(torch.stack(found))
        x = torch.cat(outputs, dim=1)
    return x, nodes


def expected(model: torch.nn.Module, x: torch.Tensor, head: str, row: int) -> tuple[dict, torch.Tensor]:
    """(gradients of c and h, of x) of one output of the last step's prediction; that of x by nn.LSTM itself."""
    model = model.double()
    x = x.double()[0].requires_grad_()
    outputs, nodes = stepped(model.lstm, x)
    width = outputs.shape[1] // (2 if model.lstm.bidirectional else 1)
    read = torch.cat([outputs[-1, :width], outputs[0 if head == "last" else -1, width:]])
    model.head(read)[row].backward()
    gradients = {key: torch.zeros_like(node) if node.grad is None else node.grad for key, node in nodes.items()}
    own = x.detach().clone().requires_grad_()
    outputs = model.lstm(own[:, None] if not model.lstm.batch_first else own[None])[0].reshape(len(own), -1)
    model.head(torch.cat([outputs[-1, :width], outputs[0 if head == "last" else -1, width:]]))[row].backward()
    return gradients, own.grad


CASES = MODELS | {
    "deep every": {"num_layers": 2, "bidirectional": True, "head": "per_step"},
    "all": {"num_layers": 3, "bidirectional": True, "hidden_size": 6, "proj_size": 4},
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("model", CASES.values(), ids=CASES)
def test_it_is_autograds_gradient_of_any_lstm(stage: Page, model: dict):
    _, snapshot, _, x, header, arrays = scene_of(model)
    asked, layers, input = stage.evaluate(RUN, packed(header, arrays))
    assert asked["row"] == 0 and asked["name"].startswith("the prediction of ")
    gradients, of_x = expected(snapshot.model, x, header["head"], 0)
    for (layer, direction, name, step), gradient in gradients.items():
        values = np.reshape(layers[layer][direction][name], (-1, header["steps"]))[:, step]
        want = gradient.numpy()
        assert np.abs(values - want).max() <= 1e-5 * np.abs(want).max(), (layer, direction, name, step)
    values = np.reshape(input, (-1, header["steps"])).T
    assert np.abs(values - of_x.numpy()).max() <= 1e-5 * np.abs(of_x.numpy()).max()


@pytest.mark.parametrize("head", ["last", "per_step"])
def test_of_classes_it_is_the_logit_of_the_actual_one_or_else_of_the_likeliest(stage: Page, head: str):
    _, snapshot, _, x, header, arrays = scene_of({"head": head}, labelled())
    steps, right = header["steps"], header["truth"][-1]
    asked, layers, _ = stage.evaluate(RUN, packed(header, arrays))
    assert asked["row"] == right and asked["name"] == f"the logit of {header['classes'][right]}, the actual class"
    want = expected(snapshot.model, x, head, right)[0][0, 0, "c", steps - 3].numpy()
    assert np.reshape(layers[0][0]["c"], (-1, steps))[:, steps - 3] == pytest.approx(want, rel=1e-4)
    with torch.no_grad():
        likeliest = int(snapshot.model.float()(x).reshape(-1, len(header["classes"]))[-1].argmax())
    asked = stage.evaluate(RUN, packed(header | {"truth": [None] * steps}, arrays))[0]
    assert asked["name"] == f"the logit of {header['classes'][likeliest]}, the likeliest class"


MAPS = "() => document.querySelector('.stage-maps canvas').toDataURL()"


def numbers(page: Page) -> dict[str, np.ndarray]:
    """The gradients and the trace of what is chosen, (units, steps)."""
    found = page.evaluate(
        """() => {
             const { gradients, layer, direction, sides } = stage.state, own = gradients[0].layers[layer][direction];
             const { c, f } = sides[0].trace[layer][direction];
             return { dc: [...own.c], dh: [...own.h], f: [...f], c: [...c] };
           }"""
    )
    return {name: np.reshape(values, (-1, last(page, "time") + 1)) for name, values in found.items()}


def shown(share: float) -> str:
    """A share as the sentence has it: two digits."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def test_b_sends_the_gradient_back_and_the_sentence_is_that_of_the_run(stage: Page):
    forward = stage.evaluate(MAPS)
    press(stage, "b")
    decay, (steps, unit) = stage.locator(".stage-decay-text"), (last(stage, "time") + 1, 3)
    press(stage, "0", *["ArrowDown"] * (unit + 1), "End")
    expect(decay).to_contain_text("The gradient of the prediction of SUNACTIVITY enters unit 3 at its last step")
    press(stage, "Shift+ArrowLeft", "ArrowRight", "ArrowRight")
    found = numbers(stage)
    left = abs(found["dc"][unit, steps - 9] / found["dc"][unit, -1])
    gates = np.prod(found["f"][unit, steps - 8 :])
    verb = "arrives" if left > 1 else "is left"
    sentence = (
        f"Of what unit 3 feels at the last step, {shown(left)} {verb} 8 steps back; the forget gates alone would "
    )
    expect(decay).to_have_text(f"{sentence}leave {shown(gates)}.", use_inner_text=True)
    assert stage.evaluate(MAPS) != forward
    press(stage, "B", "0", "ArrowDown", "Home", *["ArrowRight"] * ((steps + 1) // 2))
    expect(decay).to_be_hidden()
    expect(stage.locator(".cell-factors").first).to_be_hidden()


def test_playing_runs_from_the_last_step_to_the_first_and_stops_there(stage: Page):
    press(stage, "b", "Home", "Space")
    stage.wait_for_function("window.stage.state.step > 10")
    press(stage, "Space")
    set_state(stage, step=2)
    press(stage, "Space")
    stage.wait_for_function("window.stage.state.step === 0 && !window.stage.state.playing")


def test_the_drawing_shows_the_factors_of_the_step_and_gradients_in_its_plates(stage: Page):
    press(stage, "b", "ArrowDown")
    unit, step, found = state(stage, "unit"), state(stage, "step"), numbers(stage)
    (plate,) = stage.locator("[data-part=c] .cell-plate").filter(has_text="∂ct").filter(has_not_text="−1").all()
    assert plate.is_visible()
    note = stage.locator("[data-part=c] .cell-note").text_content()  # ∂c·f = 0.42·0.93 = 0.39
    dc, f, kept = (number(text) for text in re.split("·(?!10)|=", note.partition("= ")[2]))
    assert dc == pytest.approx(found["dc"][unit, step], rel=0.06)
    assert f == pytest.approx(found["f"][unit, step], abs=6e-4)
    assert kept == pytest.approx(found["dc"][unit, step] * found["f"][unit, step], rel=0.06)
    lines = stage.locator("[data-part=f] .cell-factors").all_text_contents()
    assert lines[0] == "∂c · cₜ₋₁ · f(1 − f)"
    slope = found["f"][unit, step] * (1 - found["f"][unit, step])
    result = found["dc"][unit, step] * found["c"][unit, step - 1] * slope
    assert number(lines[2].removeprefix("= ")) == pytest.approx(result, rel=0.06)


def number(text: str) -> float:
    """3.8·10⁻⁴ as a float."""
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
    factor, _, power = text.strip(" ()").translate(digits).partition("·10")
    return float(factor) * 10 ** int(power or 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("model", CASES.values(), ids=CASES)
def test_any_model_is_shown_backward_at_every_step_of_every_layer(stage: Page, model: dict):
    *_, header, arrays = scene_of(model)
    mount(stage, header, arrays)
    errors: list[str] = []
    stage.on("pageerror", lambda error: errors.append(str(error)))
    press(stage, "b")
    for _ in range(header["layers"] * header["directions"]):
        for key in ("End", "ArrowLeft", "Home", "ArrowDown", "0"):
            press(stage, key)
            assert "NaN" not in stage.locator(".stage").inner_text()
            expect(stage.locator(".stage-decay-text")).not_to_be_empty()
        press(stage, "l")
    assert errors == []


def test_the_address_keeps_it(stage: Page):
    press(stage, "b")
    stage.wait_for_url(re.compile("backward=1"))
    *_, header, arrays = scene_of({})
    mount(stage, header, arrays)
    assert state(stage, "backward") is True
    expect(stage.locator(".stage-decay")).to_be_visible()
    press(stage, "b")
    stage.wait_for_url(lambda url: "backward" not in url)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(900, 700), (1280, 720), (1920, 1080)])
def test_its_letters_are_large_enough_and_nothing_lies_over_the_plates(new_stage: Callable[..., Page], size):
    page = new_stage("?backward=1", size=size)
    page.locator(".cell-factors").first.wait_for()
    letters = page.locator(".cell-factors:visible").evaluate_all(
        "all => all.map((one) => [parseFloat(one.getAttribute('font-size')) * one.getScreenCTM().a, one.textContent])"
    )
    small = 12.5 if size[0] >= 1280 else 11
    assert [text for height, text in letters if text.strip() and height < small] == []
    box, plot = (page.locator(part).bounding_box() for part in (".stage-decay-text", ".stage-series"))
    assert box["y"] + box["height"] < plot["y"] + 0.45 * plot["height"]
