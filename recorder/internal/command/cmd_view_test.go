package command

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestViewSaysItsAddressForPeopleAndForMachines(t *testing.T) {
	const url = "http://127.0.0.1:8080/?files=files.json"
	var out bytes.Buffer
	a := &app{stdout: &out}
	if err := a.printAddress(url, []string{"a.arrow"}); err != nil || out.String() != url+"\n" {
		t.Errorf("printed %q, %v", out.String(), err)
	}
	for _, files := range [][]string{{"a.arrow", "b.arrow"}, {}} {
		out.Reset()
		a.json = true
		if err := a.printAddress(url, files); err != nil {
			t.Fatal(err)
		}
		var got struct {
			URL   string   `json:"url"`
			Files []string `json:"files"`
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.URL != url || !reflect.DeepEqual(got.Files, files) {
			t.Errorf("printed %s, %v", out.String(), err)
		}
	}
}
