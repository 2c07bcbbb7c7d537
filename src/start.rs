//! Opens the store, wires the parts, starts the loops, stops them in order.
