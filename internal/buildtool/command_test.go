package buildtool

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestAllStagesRunAndOneFailureFails(t *testing.T) {
	var ran []string
	stages := []stage{
		{name: "first", do: func() error { ran = append(ran, "first"); return nil }},
		{name: "second", do: func() error { ran = append(ran, "second"); return errors.New("no") }},
		{name: "third", do: func() error { ran = append(ran, "third"); return nil }},
	}
	var out strings.Builder
	if err := reportStages(&out, io.Discard, stages); err == nil || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(ran, []string{"first", "second", "third"}) {
		t.Errorf("ran %v", ran)
	}
	if !strings.HasSuffix(out.String(), "\n2 passed, 1 failed\n") {
		t.Errorf("summary %q", out.String())
	}
	if err := reportStages(&out, io.Discard, stages[:1]); err != nil {
		t.Error(err)
	}
}

func TestAStageBesideAnotherRunsWhileItDoes(t *testing.T) {
	met := make(chan string)
	var out strings.Builder
	err := reportStages(&out, io.Discard, []stage{
		{name: "first", do: func() error { met <- "first"; return nil }},
		{name: "second", do: func() error { <-met; return errors.New("no") }, beside: true},
		{name: "third", do: func() error { return nil }},
	})
	if err == nil || !strings.Contains(err.Error(), "1 of 3") || !strings.HasSuffix(out.String(), "\n2 passed, 1 failed\n") {
		t.Errorf("error %v, summary %q", err, out.String())
	}
}

func TestToolsAreNativeWhateverTheEnvironmentSays(t *testing.T) {
	t.Setenv("GOOS", "js")
	t.Setenv("GOARCH", "wasm")
	if got, err := output("go", "env", "GOOS"); err != nil || got == "js" {
		t.Errorf("GOOS %q, %v", got, err)
	}
	if got, err := (command{name: "go", args: []string{"env", "GOOS"}, env: wasmEnv}).output(); err != nil || got != "js" {
		t.Errorf("GOOS %q, %v: a target that asks for a platform gets it", got, err)
	}
}

func TestAProgramThatFailsSaysWhichAndHow(t *testing.T) {
	_, err := output("go", "no-such-command")
	if err == nil || !strings.Contains(err.Error(), "go no-such-command") || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("error %v", err)
	}
}
