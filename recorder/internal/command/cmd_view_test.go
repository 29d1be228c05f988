package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
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

func TestViewPrintsItsAddressAndEndsWithCtrlC(t *testing.T) {
	for _, c := range []struct {
		files []string
		query string
	}{{[]string{bonsai + "new_Heartbeat.arrow"}, "/?files=files.json"}, {nil, "/"}} {
		reader, writer := io.Pipe()
		interrupts := make(chan os.Signal, 1)
		var words bytes.Buffer
		a := &app{stdout: writer, stderr: &words, interrupts: interrupts}
		ended := make(chan int, 1)
		go func() {
			ended <- a.run(append([]string{"view", "--no-browser", "--quiet"}, c.files...)...)
			writer.Close()
		}()
		address, err := bufio.NewReader(reader).ReadString('\n')
		if err != nil || !strings.HasPrefix(address, "http://127.0.0.1:") || !strings.HasSuffix(strings.TrimSpace(address), c.query) {
			t.Fatalf("%q, %v", address, err)
		}
		res, err := http.Get(strings.TrimSpace(address))
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res, err)
		}
		res.Body.Close()
		interrupts <- os.Interrupt
		if code := <-ended; code != exitDone || words.Len() > 0 {
			t.Errorf("exit code %d: %s", code, words.String())
		}
		if _, err := http.Get(strings.TrimSpace(address)); err == nil {
			t.Error("still answers")
		}
	}
}
