package command

import (
	"os"
	"os/exec"
	"runtime"
)

// openBrowser shows an address in the person's browser, if there is one: on a
// machine without a screen nothing happens.
func openBrowser(url string) {
	var candidates [][]string
	switch runtime.GOOS {
	case "windows":
		candidates = [][]string{{"rundll32", "url.dll,FileProtocolHandler", url}}
	case "darwin":
		candidates = [][]string{{"open", url}}
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return
		}
		candidates = [][]string{{"xdg-open", url}, {"sensible-browser", url}}
	}
	for _, c := range candidates {
		cmd := exec.Command(c[0], c[1:]...)
		if cmd.Start() == nil {
			go func() { _ = cmd.Wait() }()
			return
		}
	}
}
