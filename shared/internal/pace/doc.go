// Package pace follows clocks from row to row, batch after batch: the stretches in
// which they rise, ticks that cannot be right, the even step, and the gaps in it.
package pace
