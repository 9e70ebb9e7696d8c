"""LaTeX → MathML, which browsers draw by themselves: as much of LaTeX as lessons use, and an error for the rest."""

from __future__ import annotations

import html
import re

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}^_&]|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)
_LETTERS = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "eta",
            "theta",
            "lambda",
            "mu",
            "sigma",
            "tau",
            "phi",
            "omega",
            "Delta",
            "Sigma",
            "Omega",
            "ell",
        ],
        "αβγδϵηθλμστϕωΔΣΩℓ",
        strict=True,
    )
)
_OPERATORS = {
    "partial": "∂",
    "cdot": "·",
    "odot": "⊙",
    "times": "×",
    "sim": "∼",
    "approx": "≈",
    "ge": "≥",
    "geq": "≥",
    "le": "≤",
    "leq": "≤",
    "ne": "≠",
    "neq": "≠",
    "in": "∈",
    "notin": "∉",
    "Rightarrow": "⇒",
    "leftarrow": "←",
    "rightarrow": "→",
    "to": "→",
    "mapsto": "↦",
    "iff": "⟺",
    "mid": "∣",
    "dots": "…",
    "ldots": "…",
    "cdots": "⋯",
    "lVert": "‖",
    "rVert": "‖",
    "lvert": "|",
    "rvert": "|",
    "pm": "±",
    "infty": "∞",
    "oplus": "⊕",
    "top": "⊤",
    "{": "{",
    "}": "}",
    "%": "%",
    "|": "‖",
}
_LARGE = {"sum": "∑", "prod": "∏"}  # in a display their bounds stand above and below
_FUNCTIONS = ("min", "max", "ln", "log", "exp", "tanh", "sin", "cos", "arg")
_LIMITS = ("min", "max")
_SPACES = {"qquad": 2, "quad": 1, ",": 0.17, ":": 0.22, ";": 0.28, " ": 0.33, "!": -0.17}  # em
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→"}
_SIZES = ("big", "Big", "bigl", "bigr", "left", "right", "limits", "displaystyle")  # brackets stretch by themselves
_ALPHABETS = {"mathcal": 0x1D49C, "mathbb": 0x1D538}  # where their capital A is
_HOLES = {
    "ℬ": 0x1D49D,
    "ℰ": 0x1D4A0,
    "ℱ": 0x1D4A1,
    "ℋ": 0x1D4A3,
    "ℐ": 0x1D4A4,
    "ℒ": 0x1D4A7,
    "ℳ": 0x1D4A8,
    "ℛ": 0x1D4AD,
}
_HOLES |= {"ℂ": 0x1D53A, "ℍ": 0x1D53F, "ℕ": 0x1D545, "ℙ": 0x1D547, "ℚ": 0x1D548, "ℝ": 0x1D549, "ℤ": 0x1D551}
_AT_HOLE = {code: letter for letter, code in _HOLES.items()}  # letters that Unicode had before the others


def mathml(latex: str, display: bool = False) -> str:
    """A <math> element; display: of a formula that stands by itself.

    Raises:
        ValueError: a command or an environment that lessons have not used so far, or a brace that is not closed.
    """
    parser = _Parser(latex, display)
    body = parser.row(end=None)
    return f"<math{' display=' + chr(34) + 'block' + chr(34) if display else ''}>{body}</math>"


class _Parser:
    def __init__(self, latex: str, display: bool) -> None:
        self.tokens, self.at, self.display = _TOKEN.findall(latex), 0, display

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise ValueError("The formula ends in the middle.")
        self.at += 1
        return token

    def skip_space(self) -> None:
        while (token := self.peek()) is not None and token.isspace():
            self.at += 1

    def row(self, end: str | None) -> str:
        """Everything up to `end`, which is taken, too."""
        parts = []
        while True:
            self.skip_space()
            token = self.peek()
            if token == end:
                self.at += end is not None
                return f"<mrow>{''.join(parts)}</mrow>"
            if token is None:
                raise ValueError("A brace is not closed.")
            parts.append(self.scripted())

    def scripted(self) -> str:
        """One atom with its index and exponent."""
        name = (self.peek() or "").removeprefix("\\")
        base, scripts = self.atom(), {}
        while True:
            self.skip_space()
            token = self.peek()
            if token not in ("_", "^") or token in scripts:
                break
            self.take()
            scripts[token] = self.argument()
        gap = name in (*_FUNCTIONS, *_LARGE) and token not in ("(", "}", "\\!", "\\left", None)
        return self.with_scripts(name, base, scripts) + '<mspace width="0.17em"/>' * gap

    def with_scripts(self, name: str, base: str, scripts: dict[str, str]) -> str:
        above = self.display and (name in _LARGE or name in _LIMITS)
        both, below, over = ("munderover", "munder", "mover") if above else ("msubsup", "msub", "msup")
        match scripts:
            case {"_": low, "^": high}:
                return f"<{both}>{base}{low}{high}</{both}>"
            case {"_": low}:
                return f"<{below}>{base}{low}</{below}>"
            case {"^": high}:
                return f"<{over}>{base}{high}</{over}>"
        return base

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            return self.row("}")
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token in "}_^&":
            raise ValueError(f"The formula has {token!r} where nothing needs it.")
        if token in "()[]|":
            return f'<mo stretchy="{str(self._stretches()).lower()}">{token}</mo>'
        return f"<mo>{html.escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"

    def _stretches(self) -> bool:
        """Whether the bracket just taken comes after a command of size."""
        return self.at >= 2 and self.tokens[self.at - 2].removeprefix("\\") in _SIZES

    def command(self, name: str) -> str:
        if name in _LETTERS:
            return f"<mi>{_LETTERS[name]}</mi>"
        if name in _OPERATORS:
            return f"<mo>{html.escape(_OPERATORS[name])}</mo>"
        if name in _LARGE:
            return f"<mo>{_LARGE[name]}</mo>"
        if name in _FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}em"/>'
        if name in _SIZES:
            self.skip_space()
            return self.atom() if self.peek() is not None else ""
        if name in ("frac", "tfrac", "dfrac"):
            top, bottom = self.argument(), self.argument()
            style = ' displaystyle="false"' if name == "tfrac" else ""
            return f"<mstyle{style}><mfrac>{top}{bottom}</mfrac></mstyle>"
        if name == "sqrt":
            return f"<msqrt>{self.argument()}</msqrt>"
        if name in _ACCENTS:
            return f'<mover accent="true">{self.argument()}<mo stretchy="false">{_ACCENTS[name]}</mo></mover>'
        if name in ("text", "mathrm"):
            return f"<mtext>{html.escape(self.plain()).replace(' ', '&#160;')}</mtext>"
        if name == "operatorname":
            return f"<mi>{html.escape(self.plain())}</mi>"
        if name in _ALPHABETS:
            return f'<mi mathvariant="normal">{"".join(_styled(name, letter) for letter in self.plain())}</mi>'
        if name == "begin":
            return self.table(self.plain())
        raise ValueError(f"There is no MathML for \\{name} yet.")

    def argument(self) -> str:
        """The braces that follow, or one character without them: \\frac35 is 3/5."""
        self.skip_space()
        if (token := self.peek()) and token.isdigit() and len(token) > 1:
            self.tokens[self.at : self.at + 1] = token[0], token[1:]
        return self.atom()

    def plain(self) -> str:
        """The text of the braces that follow, or the one token."""
        self.skip_space()
        if (token := self.take()) != "{":
            return token
        text = ""
        while (token := self.take()) != "}":
            text += token.removeprefix("\\") if len(token) == 2 else token
        return text

    def table(self, name: str) -> str:
        if name not in ("aligned", "cases", "pmatrix"):
            raise ValueError(f"There is no MathML for the environment {name} yet.")
        rows, cell = [[]], []

        def close() -> None:
            rows[-1].append(f"<mtd>{''.join(cell)}</mtd>")
            cell.clear()

        while True:
            self.skip_space()
            token = self.peek()
            if token == "&":
                self.take()
                close()
            elif token == "\\\\":
                self.take()
                close()
                rows.append([])
            elif token == "\\end":
                self.take()
                if self.plain() != name:
                    raise ValueError(f"The environment {name} is not closed.")
                close()
                break
            else:
                cell.append(self.scripted())
        body = "".join(f"<mtr>{''.join(cells)}</mtr>" for cells in rows if cells != ["<mtd></mtd>"])
        style = ' displaystyle="true"' if name == "aligned" else ""
        table = f'<mtable class="{name}"{style}>{body}</mtable>'
        left, right = {"aligned": ("", ""), "cases": ("{", ""), "pmatrix": ("(", ")")}[name]
        brackets = [f'<mo stretchy="true">{one}</mo>' if one else "" for one in (left, right)]
        return f"<mrow>{brackets[0]}{table}{brackets[1]}</mrow>"


def _styled(alphabet: str, letter: str) -> str:
    if not "A" <= letter <= "Z":
        return letter
    code = _ALPHABETS[alphabet] + ord(letter) - ord("A")
    return _AT_HOLE.get(code, chr(code))
