package buildtool

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestColoursOfPlotAreThoseOfTheTheme(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	theme, err := os.ReadFile(filepath.Join(dir, themeFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := tokens(theme)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, tokensFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what %s says: run go tool mage tokens", tokensFile, themeFile)
	}
	if _, err := tokens([]byte("--bg: blue;")); err == nil {
		t.Error("a theme without colours gives tokens")
	}
	changed, err := tokens(bytes.Replace(theme, []byte("--trace-a: light-dark(#1d5f7d"), []byte("--trace-a: light-dark(#1d5f7e"), 1))
	if err != nil || !strings.Contains(string(changed), "rgb(0x1d5f7e)") {
		t.Errorf("a changed theme changes nothing: %v", err)
	}
}
