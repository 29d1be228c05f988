package files

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestAFolderIsItsRecordings(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"b_0.arrow", "a_0.ARROW", "start-time_0.csv", "notes.csv", "recording_0.json", ".hidden.arrow", "s.arrows"} {
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"deeper.arrow", "one", "none"} {
		if err := os.Mkdir(at(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(at("one/x.feather"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, ok, err := ReadFolder(dir)
	if want := (Folder{[]string{at("a_0.ARROW"), at("b_0.arrow"), at("s.arrows")}, []string{at("start-time_0.csv")}}); err != nil || !ok || !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, %v, %v", f, ok, err)
	}
	got, err := Expand([]string{at("b_0.arrow"), at("one"), at("missing")})
	if want := []string{at("b_0.arrow"), at("one/x.feather"), at("missing")}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if one, err := One(at("one")); err != nil || one != at("one/x.feather") {
		t.Errorf("%q, %v", one, err)
	}
	if _, err := One(dir); err == nil || !strings.Contains(err.Error(), "a folder with 3 recordings: name one of them (a_0.ARROW, b_0.arrow, s.arrows)") {
		t.Error(err)
	}
	if _, err := Expand([]string{at("none")}); err == nil || !strings.Contains(err.Error(), "a folder without recordings") {
		t.Error(err)
	}
}
