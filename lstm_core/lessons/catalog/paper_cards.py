"""The cards of all papers that lessons reproduce or go back to."""

from __future__ import annotations

from lstm_core.lessons.paper_card import PaperCard, Reference

LSTM_1997 = Reference(
    ("Sepp Hochreiter", "Jürgen Schmidhuber"),
    1997,
    "Long Short-Term Memory",
    "Neural Computation",
    volume="9",
    number="8",
    pages="1735–1780",
)

ADDING = PaperCard(
    LSTM_1997,
    "An LSTM stores two marked values of a long sequence, however far apart, and adds them.",
    "At most 3 of 2,560 new sequences wrong (experiment 4). Always predicting 1 scores 1/6 = 0.1667: a baseline, not "
    "a result.",
    "A sequence is wrong if the output is off by more than 0.04, with the target scaled to 0 … 1.",
    "Values are from −1 to 1 in the paper, from 0 to 1 here. Here there are forget gates, chrono initialisation, "
    "Adam and exact gradients.",
)

TEMPORAL_ORDER = PaperCard(
    LSTM_1997,
    "An LSTM tells in which order two symbols came, from their places in a long sequence of distractors.",
    "1 of 2,560 new sequences wrong in the table, at most 3 in the text (experiment 6, task 6a).",
    "A sequence is right only if all outputs are within 0.3 of their targets, 1 for the class and 0 for the others.",
    "Outputs here are softmax probabilities. Here there are forget gates, chrono initialisation, Adam and exact "
    "gradients.",
)

EMBEDDED_REBER = PaperCard(
    LSTM_1997,
    "An LSTM learns the embedded Reber grammar, T or P at the far end included.",
    "148 of 150 trials solved (experiment 1, table 1). The table quotes 0 % for an Elman network, from Cleeremans et "
    "al. 1989.",
    "A trial is solved once every training and every test string is right: at each step the legal symbols have the "
    "highest outputs.",
    "The paper trained on 256 strings, here it is 7,488, so most test strings are in both sets. With exact gradients "
    "and Adam a plain RNN mostly solves it too.",
)

CONTINUAL_REBER = PaperCard(
    Reference(
        ("Felix A. Gers", "Jürgen Schmidhuber", "Fred Cummins"),
        2000,
        "Learning to Forget: Continual Prediction with LSTM",
        "Neural Computation",
        volume="12",
        number="10",
        pages="2451–2471",
    ),
    "In a stream without marks an LSTM needs forget gates, with which each cell learns when to reset itself.",
    "Perfect networks: 18 % with forget gates, 62 % with a decaying learning rate as well, 74 % of LSTMs whose state "
    "is reset from outside (table 2).",
    "A network is perfect if it predicts a million symbols without an error.",
    "Here sixteen streams of 4,000 symbols, each from c = 0, seven units, Adam with a constant learning rate and exact "
    "gradients.",
)

COPY_MEMORY = PaperCard(
    Reference(
        ("Martin Arjovsky", "Amar Shah", "Yoshua Bengio"),
        2016,
        "Unitary Evolution Recurrent Neural Networks",
        "International Conference on Machine Learning",
        kind="inproceedings",
        eprint="1511.06464",
    ),
    "A recurrent network with a unitary recurrent matrix copies ten symbols over hundreds of steps, where an LSTM "
    "hardly gets below the loss of a model that remembers nothing.",
    "An LSTM gets below that baseline at T = 100, and not at longer delays, up to 500. The baseline is "
    "10 ln 8 / (T + 20), 0.173 at T = 100 and 0.693 at T = 10.",
    "None: the paper compares the curves of the loss with the baseline.",
    "The delay here is T = 10, far shorter; chrono initialisation; no unitary network.",
)

VANISHING = PaperCard(
    Reference(
        ("Yoshua Bengio", "Patrice Simard", "Paolo Frasconi"),
        1994,
        "Learning Long-Term Dependencies with Gradient Descent is Difficult",
        "IEEE Transactions on Neural Networks",
        volume="5",
        number="2",
        pages="157–166",
    ),
    "Where a recurrent network holds information safely, its gradients vanish: gradient descent becomes less and less "
    "efficient as the dependencies to be learned grow longer.",
    "No table: an argument, which the lesson's pictures illustrate.",
    "",
    "The task here is another, a marked number to be recalled after up to 49 steps, and all cells are trained by Adam.",
)

EXPLODING = PaperCard(
    Reference(
        ("Razvan Pascanu", "Tomas Mikolov", "Yoshua Bengio"),
        2013,
        "On the Difficulty of Training Recurrent Neural Networks",
        "International Conference on Machine Learning",
        kind="inproceedings",
        eprint="1211.5063",
    ),
    "Where the gradient explodes the loss has a cliff, and scaling the gradient down to a limit of its norm keeps a "
    "step from being thrown off it.",
    "No table: an argument and a remedy, which the lesson's pictures illustrate.",
    "",
    "One task at one learning rate, an RNN trained by SGD with momentum, clipped at 0.25.",
)

FORGET_BIAS = PaperCard(
    Reference(
        ("Rafal Jozefowicz", "Wojciech Zaremba", "Ilya Sutskever"),
        2015,
        "An Empirical Exploration of Recurrent Network Architectures",
        "International Conference on Machine Learning",
        kind="inproceedings",
    ),
    "A bias of 1 in the forget gate closes the gap between the LSTM and the GRU.",
    "Measured on the paper's own tasks, none of which is the lesson's.",
    "",
    "One task of fifty steps, and beside bias 0 and 1 the chrono initialisation of Tallec & Ollivier (2018), which is "
    "three years younger.",
)

COUNTING = PaperCard(
    Reference(
        ("Felix A. Gers", "Jürgen Schmidhuber"),
        2001,
        "LSTM recurrent networks learn simple context-free and context-sensitive languages",
        "IEEE Transactions on Neural Networks",
        volume="12",
        number="6",
        pages="1333–1340",
    ),
    "An LSTM learns context-free languages such as aⁿbⁿ better than earlier networks, specialised ones included, and "
    "as the first recurrent network a context-sensitive one, aⁿbⁿcⁿ (abstract).",
    "Not compared with: the tables count other trainings and tests.",
    "",
    "Cell, training and test are other ones here: a stream of strings, n up to 30, and a GRU of as many units beside "
    "the LSTM.",
)

ROLLOUT = PaperCard(
    Reference(
        ("Samy Bengio", "Oriol Vinyals", "Navdeep Jaitly", "Noam Shazeer"),
        2015,
        "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks",
        "Advances in Neural Information Processing Systems",
        kind="inproceedings",
        eprint="1506.03099",
    ),
    'With teacher forcing errors "can accumulate quickly along the generated sequence"; scheduled sampling improves '
    "several sequence prediction tasks significantly (abstract).",
    "Not compared with: the tasks are other ones.",
    "",
    "The lesson shows the accumulation, on a chaotic series, and a direct forecast beside it. Scheduled sampling needs "
    "a training loop of its own and is not built.",
)
