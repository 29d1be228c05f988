//go:build race && linux && (amd64 || arm64)

package liboni

func init() { raceEnabled = true }
