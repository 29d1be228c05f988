package pagetest

import (
	"fmt"
	"testing"
	"time"
)

func TestBig(t *testing.T) {
	for _, name := range []string{"wide", "many-batches", "one-batch"} {
		t.Run(name, func(t *testing.T) {
			page := open(t, View{Width: 1600, Height: 1000, Light: true})
			begin := time.Now()
			check(t, page.Drop("/tmp/field-big/"+name+".arrow"))
			check(t, page.WaitFor(60*time.Second, `document.documentElement.dataset.state === "ready"`))
			fmt.Println(name, "ready", time.Since(begin))
			var words, state string
			page.Eval(`Promise.race([oniscope.view({}).then((v) => JSON.stringify(v).slice(0, 300), (e) => "rejected: " + e), new Promise((r) => setTimeout(() => r("slow"), 60000))])`, &words)
			page.Eval(`document.querySelector("#notices").innerText + JSON.stringify(document.documentElement.dataset)+ document.querySelector("#status").innerText`, &state)
			fmt.Println(name, time.Since(begin), words, state)
			page.Screenshot("/tmp/field-" + name + ".png")
		})
	}
}
