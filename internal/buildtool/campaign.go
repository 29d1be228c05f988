package buildtool

import (
	"fmt"
	"os"
	"time"
)

// Campaign opens, reads, recovers and verifies ten thousand files that were
// damaged at random, from a new seed each time unless ONISCOPE_SEED has one.
func Campaign() error {
	env := []string{}
	for name, value := range map[string]string{"ONISCOPE_CASES": "10000", "ONISCOPE_SEED": fmt.Sprint(time.Now().UnixNano())} {
		if os.Getenv(name) == "" {
			env = append(env, name+"="+value)
		}
	}
	return command{name: "go", env: env, args: []string{"test", "-count=1", "-v", "-timeout=2h",
		"-run=^TestDamagedFilesNeverHurtAndLoseNothingInSilence$", "./shared/recovery"}}.run()
}
