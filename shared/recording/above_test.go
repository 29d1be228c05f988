package recording

// What tests of this package ask of recovery, which lies above it: the external
// tests set it.
var (
	keepsNothing func(data []byte) bool               // a recovery keeps nothing of a file
	damageOf     func(data []byte) ([]Finding, error) // what a verification finds in it, without infos
)

// SetAbove is for the external tests.
func SetAbove(nothing func(data []byte) bool, damage func(data []byte) ([]Finding, error)) {
	keepsNothing, damageOf = nothing, damage
}
