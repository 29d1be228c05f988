package command

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/oniscope/oniscope/recorder/internal/serve"
	"github.com/oniscope/oniscope/web"
	"github.com/oniscope/oniscope/web/pagetest"
)

// The page must work under the policy that view sends, its workers and its
// engine included, and read the files by range requests.
func TestThePageOpensTheFilesOfViewUnderItsPolicy(t *testing.T) {
	if !web.HasEngine() {
		t.Skip("built without the page: run go tool mage build")
	}
	if _, err := pagetest.FindChromium(); err != nil {
		t.Skip(err)
	}
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	server := httptest.NewServer(serve.New(web.Files, []string{bonsai + "new_NeuropixelsV1.arrow", bonsai + "start-time_0.csv"}))
	defer server.Close()
	page, err := browser.Open(server.URL+"/?files=files.json", pagetest.View{Width: 1280, Height: 800})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	if err := page.WaitDrawn(0); err != nil {
		t.Fatal(err, page.Problems())
	}
	var info struct {
		Rows  int64  `json:"rows"`
		State string `json:"state"`
	}
	if err := page.Eval(`oniscope.info("new_NeuropixelsV1")`, &info); err != nil || info.Rows != 384 || info.State != "complete" {
		t.Errorf("%+v, %v", info, err)
	}
	var values []int
	if err := page.Eval(`oniscope.values("new_NeuropixelsV1", "SpikeData5", 100, 103).then(v => Array.from(v.values))`, &values); err != nil {
		t.Error(err)
	}
	for i, got := range values { // testdata/foreign/bonsai/README.md
		if want := (5*7 + (100+i)*3) % 1024; got != want || len(values) != 3 {
			t.Errorf("row %d: %d, want %d", 100+i, got, want)
		}
	}
	for _, problem := range page.Problems() {
		t.Error(problem)
	}
}
