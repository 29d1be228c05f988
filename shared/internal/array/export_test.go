package array

// WideInteger is wideInteger.
func WideInteger(p []byte, signed bool) (negative bool, digits string) {
	x := wideInteger(p, signed)
	return x.negative, x.digits
}
