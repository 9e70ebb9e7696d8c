"""The lessons, one file each, in a folder a chapter. To add one: its file, which defines LESSON, and its line here."""

MODULES = {  # name, as in addresses and saved files → module of this folder, in the order of the course
    "first_lstm": "tutorials.first_lstm",
    "minibatches": "tutorials.minibatches",
    "shapes": "tutorials.shapes.lesson",
    "by_hand": "tutorials.by_hand.lesson",
    "nn_lstm_1_1": "tutorials.by_hand.nn_lstm",
    "state_life": "tutorials.state_carryover.lesson",
    "claims": "tutorials.claims.lesson",
    "vanishing": "memory.vanishing",
    "exploding": "memory.exploding",
    "forget_bias": "memory.forget_bias",
    "parity": "memory.parity",
    "flip_flop": "memory.flip_flop",
    "adding_problem": "papers.adding_problem",
    "held_gates": "memory.held_gates",
    "temporal_order": "papers.temporal_order",
    "embedded_reber": "papers.reber.embedded",
    "continual_reber": "papers.reber.continual",
    "counting": "papers.counting",
    "copy_memory": "papers.copy_memory",
    "characters": "characters.lesson",
}
