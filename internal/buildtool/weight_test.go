package buildtool

import (
	"bytes"
	"strings"
	"testing"
)

func TestSymbolsFallToTheirPackages(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                                 "main",
		"github.com/a/b/v2.(*T).M-fm":               "github.com/a/b/v2",
		"type:.eq.net/http.Request":                 "net/http",
		"go:itab.*os.File,io.Reader":                "os",
		"github.com/apache/arrow-go/v18/arrow.init": "github.com/apache/arrow-go/v18/arrow",
		"_rt0_amd64_linux":                          "(no package)",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
	got := sizesOf("  401000 10 T main.main\n  401010 5 r main.x\n 0 999 B main.big\n  401020 7 T os.Open\n U x\n")
	if len(got) != 2 || got["main"] != 15 || got["os"] != 7 {
		t.Errorf("%v", got)
	}
	var out bytes.Buffer
	got.printTo(&out)
	if !strings.HasPrefix(out.String(), "      0.0 kB  main\n") {
		t.Errorf("%q", out.String())
	}
}

// section makes a section of a module.
func section(kind byte, body ...byte) []byte { return append([]byte{kind, byte(len(body))}, body...) }

func TestAModuleIsWeighedAndLosesItsNames(t *testing.T) {
	names := append([]byte{4}, "name"...)
	functions := append([]byte{2, 1, 11}, "main.__T_.f"...)
	functions = append(append(functions, 2, 13), "a.b_os_x.Exit"...)
	names = append(append(names, 1, byte(len(functions))), functions...)
	head := append([]byte("\x00asm\x01\x00\x00\x00"), section(2, 1)...)
	head = append(head, section(10, 2, 3, 0, 0, 0, 1, 0)...)
	head = append(head, section(11, 9, 9)...)
	file := append(bytes.Clone(head), section(0, names...)...)
	m, err := readModule(file, []string{"main", "a.b/os-x", "a.b/os"})
	if err != nil || !bytes.Equal(m.stripped, head) || m.code["main"] != 3 || m.code["a.b/os-x"] != 1 || m.data != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	for n := range file {
		if _, err := readModule(file[:n], nil); err == nil {
			t.Errorf("the first %d bytes of %d are a module with names", n, len(file))
		}
	}
}

func TestAnEngineHasNoCryptography(t *testing.T) {
	if err := withoutCryptography([]string{"bytes", "math/rand/v2"}); err != nil {
		t.Error(err)
	}
	if err := withoutCryptography([]string{"bytes", "crypto/rand"}); err == nil {
		t.Error("crypto/rand is accepted")
	}
}
