// The time that drawings move by: the machine's, or a film's, which is given frame by frame.

let given = null;

export const now = () => given ?? performance.now();

// ms, on the machine's scale; null: the machine's own again.
export const giveTime = (ms) => { given = ms; };
