// Package pace finds the even step of a clock from row to row, and the gaps in
// ticks that are fed batch after batch.
package pace
