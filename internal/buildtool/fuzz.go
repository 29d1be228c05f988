package buildtool

import (
	"os"
	"strings"
)

// Fuzz runs each fuzz target of each package in turn.
func Fuzz() error {
	limit := os.Getenv("FUZZTIME")
	if limit == "" {
		limit = "10m"
	}
	packages, err := output("go", "list", "./...")
	if err != nil {
		return err
	}
	var stages []stage
	for _, pkg := range strings.Fields(packages) {
		list, err := output("go", "test", "-list", "^Fuzz", pkg)
		if err != nil {
			return err
		}
		for _, name := range strings.Fields(list) {
			if !strings.HasPrefix(name, "Fuzz") {
				continue // the closing line of go test
			}
			stages = append(stages, stage{name: pkg + " " + name, do: func() error {
				return run("go", "test", "-run=^$", "-fuzz=^"+name+"$", "-fuzztime="+limit, "-fuzzminimizetime=2s", pkg)
			}})
		}
	}
	return runStages(stages)
}
