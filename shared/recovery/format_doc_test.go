package recovery

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The page about the files quotes these numbers too.
func TestFormatPageQuotesTheChannels(t *testing.T) {
	raw, err := os.ReadFile("../recording/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(raw)), " ")
	for _, want := range []string{fmt.Sprintf("of at least %d values", minChannelValues), fmt.Sprintf("if %d or more successive ones", clipRun)} {
		if !strings.Contains(page, want) {
			t.Errorf("FORMAT.md does not say %q", want)
		}
	}
}
