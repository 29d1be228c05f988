package live

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
)

// column reads a column of a stream in memory.
func column[T recording.Number](t *testing.T, r *recording.Reader, name string) (all []T) {
	t.Helper()
	x, err := r.Select(t.Context(), recording.Selection{Columns: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range x.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, recording.Values[T](&b.Columns[0])...)
	}
	return all
}

// shows asks for channels and returns the schema of what will come.
func (v *viewer) shows(bin uint64, columns ...int) []byte {
	v.t.Helper()
	v.say(map[string]any{"type": "show", "streams": []any{map[string]any{"stream": "probe", "columns": columns, "bin": bin}}})
	streams := v.next("show")["streams"].([]any)
	schema, err := base64.StdEncoding.DecodeString(streams[0].(map[string]any)["schema"].(string))
	if err != nil {
		v.t.Fatal(err)
	}
	return schema
}

func TestAClientHearsOfEveryBatchAndOfTheEnd(t *testing.T) {
	r := newRecorder(t, nil)
	r.decode(50)
	first := r.write()
	v := r.connect(nil)
	hello := v.next("hello")
	about := hello["streams"].([]any)[0].(map[string]any)
	if about["name"] != "probe" || about["file"] != "probe_0.arrow" || about["rate_hz"] != 1000.0 || hello["acq_clock_hz"] != 1e6 {
		t.Errorf("hello is %v", hello)
	}
	schema, _ := base64.StdEncoding.DecodeString(about["schema"].(string))
	if s, err := recording.NewReader(recording.Bytes(schema), int64(len(schema))); err != nil || len(s.Stream().Columns) != 4 {
		t.Errorf("the schema cannot be read: %v", err)
	}
	var blocks [][]any
	collect := func(n int) {
		for len(blocks) < n {
			for _, b := range v.next("batch")["blocks"].([]any) {
				blocks = append(blocks, b.([]any))
			}
		}
	}
	collect(1)
	if want := []any{float64(first.Offset), float64(first.Length), float64(first.MetaLength), 50.0, 0.0, 49.0 * tickStep}; !slices.Equal(blocks[0], want) {
		t.Errorf("the first batch is %v, want %v", blocks[0], want)
	}
	for range 30 {
		r.decode(5)
		r.write()
	}
	collect(31)
	if last := blocks[30]; last[5] != float64(199*tickStep) {
		t.Errorf("the last batch is %v", last)
	}
	r.hub.Status(&run.Snapshot{State: "recording"}, []recording.GapRecord{{Device: "probe", LostRows: recording.LostRows{FirstClock: 1, LastClock: 2, Rows: 3, Cause: recording.CauseFIFO}}})
	if g := v.next("gap"); g["stream"] != "probe" || g["rows"] != 3.0 || g["cause"] != "fifo" {
		t.Errorf("the gap is %v", g)
	}
	if s := v.next("status"); s["state"] != "recording" || s["clients"] != 1.0 {
		t.Errorf("the status is %v", s)
	}
	r.finish()
	if end := v.next("end"); end["summary"].(map[string]any)["state"] != "complete" {
		t.Errorf("the end is %v", end)
	}
	if code, why := v.closed(); code != websocket.CloseNormalClosure || why != reasonEnd {
		t.Errorf("closed: %d %q", code, why)
	}
}

func TestWhatIsShownAreTheExtremesOfTheRows(t *testing.T) {
	r := newRecorder(t, nil)
	v := r.connect(nil)
	schema := v.shows(10*tickStep, 1, 3)
	r.decode(25)
	more := func() { r.decode(20) } // once the first are there: the newest replaces what waits
	type cell struct {
		rows      uint32
		low, high float32
		mean      float32
	}
	seen := map[[2]uint64]cell{} // by tick and column; a bin comes again with more rows
	for last := uint64(0); last < 4*10*tickStep || seen[[2]uint64{last, 3}].rows < 5; {
		head, rows := v.binary(schema)
		if head.Stream != "probe" || head.Bin != 10*tickStep {
			t.Errorf("the header is %+v", head)
		}
		bins, columns, counts := column[uint32](t, rows, "Bin"), column[uint16](t, rows, "Column"), column[uint32](t, rows, "Rows")
		least, most, mean := column[float32](t, rows, "Min"), column[float32](t, rows, "Max"), column[float32](t, rows, "Mean")
		for i := range bins {
			last = head.From + uint64(bins[i])*head.Bin
			seen[[2]uint64{last, uint64(columns[i])}] = cell{counts[i], least[i], most[i], mean[i]}
		}
		v.say(map[string]any{"type": "ack", "count": 1})
		if more != nil {
			more()
			more = nil
		}
	}
	for bin := range uint64(5) {
		from, to := 10*bin, min(10*bin+9, 44)
		for _, c := range []int{0, 2} {
			want := cell{uint32(to - from + 1), float32(value(c, from)), float32(value(c, to)), float32(value(c, from)+value(c, to)) / 2}
			if got := seen[[2]uint64{bin * 10 * tickStep, uint64(c + 1)}]; got != want {
				t.Errorf("bin %d of channel %d: %+v, want %+v", bin, c, got, want)
			}
		}
	}
	schema = v.shows(0, 2)
	r.decode(7)
	_, rows := v.binary(schema)
	if got := column[uint16](t, rows, "SpikeDataCh1"); len(got) != 7 || got[0] != value(1, 45) || got[6] != value(1, 51) {
		t.Errorf("samples are %v", got)
	}
}

// A heartbeat has nothing but its Clock to show.
func TestClockIsAColumnLikeOthers(t *testing.T) {
	r := newRecorder(t, nil)
	v := r.connect(nil)
	schema := v.shows(0, 0)
	r.decode(5)
	_, rows := v.binary(schema)
	for _, name := range []string{"Clock", "Clock#2"} {
		if got := column[uint64](t, rows, name); len(got) != 5 || got[4] != 4*tickStep {
			t.Errorf("%s is %v", name, got)
		}
	}
}

func TestWhoDoesNotAcknowledgeGetsThreeAndThenWhatWasGathered(t *testing.T) {
	r := newRecorder(t, nil)
	v := r.connect(nil)
	schema := v.shows(0, 1)
	got, next := 0, uint64(0)
	read := func() int {
		_, rows := v.binary(schema)
		ticks := column[uint64](t, rows, "Clock")
		for _, tick := range ticks {
			if tick != next*tickStep {
				t.Fatalf("row %d follows row %d", tick/tickStep, next)
			}
			next++
		}
		return len(ticks)
	}
	for range maxCredits {
		r.decode(4)
		got += read()
	}
	for range 20 {
		r.decode(4)
	}
	time.Sleep(20 * time.Millisecond)
	v.say(map[string]any{"type": "ack", "count": 1})
	if more := read(); more != 80 {
		t.Errorf("then %d rows, want the 80 that came meanwhile", more)
	}
	// What does not fit is skipped, and counted; the newest comes.
	for range 30 {
		r.decode(16_000)
		for r.hub.held.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	v.say(map[string]any{"type": "ack", "count": 1})
	head, rows := v.binary(schema)
	ticks := column[uint64](t, rows, "Clock")
	if len(ticks)*10 > 2*maxGathered || ticks[len(ticks)-1] != (r.tick-1)*tickStep || head.Skipped == 0 {
		t.Errorf("%d rows to row %d of %d, %d skipped", len(ticks), ticks[len(ticks)-1]/tickStep, r.tick, head.Skipped)
	}
}

func TestWhatAClientMustNotSayEndsIt(t *testing.T) {
	r := newRecorder(t, nil)
	for name, c := range map[string]struct {
		kind int
		text string
		why  string
	}{
		"garbage":               {websocket.TextMessage, "\x00\x01{{{", "not what is expected"},
		"not UTF-8":             {websocket.TextMessage, "\"\xff\xfe\"", "UTF-8"},
		"binary":                {websocket.BinaryMessage, "abc", "only text"},
		"another type":          {websocket.TextMessage, `{"type":"start"}`, `no message "start"`},
		"another key":           {websocket.TextMessage, `{"type":"ack","count":1,"x":1}`, "unknown field"},
		"a bracket too many":    {websocket.TextMessage, `{"type":"ack","count":1}}`, "after its end"},
		"more than one message": {websocket.TextMessage, `{"type":"ack","count":1}{}`, "after its end"},
		"an ack of nothing":     {websocket.TextMessage, `{"type":"ack","count":1}`, "more was acknowledged"},
		"a negative ack":        {websocket.TextMessage, `{"type":"ack","count":-5}`, "cannot be acknowledged"},
		"no such stream":        {websocket.TextMessage, `{"type":"show","streams":[{"stream":"x","columns":[1]}]}`, `no stream "x"`},
		"no such column":        {websocket.TextMessage, `{"type":"show","streams":[{"stream":"probe","columns":[99]}]}`, "column 99"},
		"a column twice":        {websocket.TextMessage, `{"type":"show","streams":[{"stream":"probe","columns":[2,1,2]}]}`, "column 2 comes twice"},
		"too many columns":      {websocket.TextMessage, `{"type":"show","streams":[{"stream":"probe","columns":[1` + strings.Repeat(",1", maxShown) + `]}]}`, "at most 4096"},
		"a number for a word":   {websocket.TextMessage, `{"type":7}`, "type cannot be number"},
		"half a tick":           {websocket.TextMessage, `{"type":"note","text":"a","clock":1.5}`, "clock cannot be number 1.5"},
		"a list":                {websocket.TextMessage, `[]`, "it is array, not an object"},
		"nothing":               {websocket.TextMessage, ``, "it is empty"},
		"half of a message":     {websocket.TextMessage, `{"type":`, "it ends too early"},
	} {
		t.Run(name, func(t *testing.T) {
			v := r.connect(withToken())
			v.t = t
			_ = v.WriteMessage(c.kind, []byte(c.text))
			if code, why := v.closed(); code != websocket.ClosePolicyViolation || !strings.Contains(why, c.why) || strings.Contains(why, "json") || strings.Contains(why, "Go ") {
				t.Errorf("closed: %d %q, want %q", code, why, c.why)
			}
			v.Close() // at once: it is one of 16
		})
	}
	t.Run("a long message", func(t *testing.T) {
		v := r.connect(withToken())
		v.t = t
		_ = v.WriteMessage(websocket.TextMessage, []byte(strings.Repeat(" ", maxWords+1)))
		if code, _ := v.closed(); code != websocket.CloseMessageTooBig {
			t.Errorf("closed: %d", code)
		}
	})
	t.Run("a length that is no number", func(t *testing.T) {
		v := r.connect(nil)
		v.t = t
		_, _ = v.NetConn().Write([]byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
		if code, why := v.closed(); code != websocket.ClosePolicyViolation || why != "the message is too long" {
			t.Errorf("closed: %d %q", code, why)
		}
	})
	t.Run("a flood", func(t *testing.T) {
		v := r.connect(nil)
		v.t = t
		for range 2 * asksAtOnce {
			if v.WriteMessage(websocket.TextMessage, []byte(`{"type":"show"}`)) != nil {
				break
			}
		}
		if _, why := v.closed(); why != "too many messages" {
			t.Errorf("closed: %q", why)
		}
	})
	t.Run("a flood of pings", func(t *testing.T) {
		v := r.connect(nil)
		v.t = t
		for range 2 * asksAtOnce {
			if v.WriteControl(websocket.PingMessage, []byte("?"), time.Now().Add(time.Second)) != nil {
				break
			}
		}
		if _, why := v.closed(); why != "too many messages" {
			t.Errorf("closed: %q", why)
		}
	})
	if r.connect(nil).next("hello") == nil {
		t.Error("nobody is answered any more")
	}
}

func TestNotesAndStopNeedTheToken(t *testing.T) {
	r := newRecorder(t, nil)
	stranger := r.connect(nil)
	run := stranger.next("hello")["run"]
	for _, m := range []map[string]any{{"type": "note", "text": "drug"}, {"type": "stop", "run": run}} {
		stranger.say(m)
		if no := stranger.next("refused"); !strings.Contains(no["text"].(string), "token") {
			t.Errorf("refused: %v", no)
		}
	}
	v := r.connect(withToken())
	v.say(map[string]any{"type": "note", "text": " drug ", "author": "ab", "clock": 5})
	if note := v.next("note"); note["clock"] != 77.0 || note["text"] != "drug" {
		t.Errorf("the note is %v", note)
	}
	for why, no := range map[string]map[string]any{
		"is empty":           {"text": " \u202e\x00\n"},
		"at most 4000":       {"text": strings.Repeat("x", 4001)},
		"the author has 401": {"text": "a", "author": strings.Repeat("x", 401)},
	} {
		no["type"] = "note"
		if v.say(no); !strings.Contains(v.next("refused")["text"].(string), why) {
			t.Errorf("%s: it is not refused for that", why)
		}
	}
	v.say(map[string]any{"type": "note", "text": "\x1b[31mred\x00\r\nthen \u202etxt", "author": "\x07שלום"})
	if note := v.next("note"); note["text"] != "[31mred\nthen txt" {
		t.Errorf("the note is %q", note["text"])
	}
	v.say(map[string]any{"type": "stop", "run": "another"})
	if no := v.next("refused"); no["text"] != "another recording runs now" {
		t.Errorf("refused: %v", no)
	}
	if len(r.asked.stops) != 0 {
		t.Error("it was stopped all the same")
	}
	v.say(map[string]any{"type": "stop", "run": run})
	v.next("stop")
	if want := []recording.Note{{About: 5, Text: "drug", Author: "ab"}, {Text: "[31mred\nthen txt", Author: "שלום"}}; !slices.Equal(r.asked.notes, want) || !slices.Equal(r.asked.stops, []string{"live view"}) {
		t.Errorf("notes %v, stops %v", r.asked.notes, r.asked.stops)
	}
}

func TestOnlySoManyFollow(t *testing.T) {
	r := newRecorder(t, nil)
	for range maxClients {
		r.connect(nil).next("hello")
	}
	_, answer, err := websocket.DefaultDialer.Dial("ws://"+r.at+"/socket", nil)
	if err == nil || answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more: %v", err)
	}
	if got := r.get("/live/probe.arrows?for=1s", nil); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more stream: %d", got.StatusCode)
	}
	if got := r.get("/status", nil); got.StatusCode != 200 {
		t.Errorf("the state: %d", got.StatusCode)
	}
}

// Where Clock steps, bins that were not sent yet give way, and their rows are counted.
func TestRowsBeforeAStepOfTheClockAreCounted(t *testing.T) {
	src := newRecorder(t, nil).hub.find("probe")
	stretch := func(from uint64, n int) (ticks []uint64) {
		for i := range uint64(n) {
			ticks = append(ticks, from+i*tickStep)
		}
		return ticks
	}
	for _, c := range []struct {
		name    string
		pieces  [][]uint64
		skipped uint64
	}{
		{"no step", [][]uint64{stretch(0, 50), stretch(50*tickStep, 50)}, 0},
		{"between two pieces", [][]uint64{stretch(900*tickStep, 50), stretch(0, 30)}, 50},
		{"inside a piece", [][]uint64{slices.Concat(stretch(900*tickStep, 50), stretch(0, 30))}, 50},
		{"inside the second piece", [][]uint64{stretch(800*tickStep, 20), slices.Concat(stretch(900*tickStep, 50), stretch(0, 30))}, 70},
		{"twice inside a piece", [][]uint64{slices.Concat(stretch(900*tickStep, 50), stretch(500*tickStep, 7), stretch(0, 30))}, 57},
		{"far ahead", [][]uint64{stretch(0, 50), stretch(1<<40, 30)}, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShown(1, src, []int{1}, 10*tickStep, 1)
			rows := 0
			for _, ticks := range c.pieces {
				clock := make([]byte, 0, 8*len(ticks))
				for _, tick := range ticks {
					clock = binary.LittleEndian.AppendUint64(clock, tick)
				}
				columns := make([][]byte, len(src.stream.Columns))
				columns[0], columns[1] = clock, make([]byte, 2*len(ticks))
				if !s.gather(&piece{src: src, rows: len(ticks), columns: columns}) {
					t.Fatal("nothing was gathered")
				}
				rows += len(ticks)
			}
			if s.skipped != c.skipped || s.gathered.pieceRows != rows-int(c.skipped) {
				t.Errorf("%d rows skipped and %d gathered, want %d of %d", s.skipped, s.gathered.pieceRows, c.skipped, rows)
			}
		})
	}
}

// Whatever a client asks for, what waits for it is bounded: the newest that has room
// waits, and what has none is counted.
func TestWhatWaitsForAClientIsBounded(t *testing.T) {
	r := newRecorder(t, nil)
	src := r.hub.find("probe")
	for _, bin := range []uint64{0, 1, tickStep, 50 * tickStep} {
		s := newShown(1, src, []int{1, 2, 3}, bin, 3)
		const rows = 400_000
		r.batch.Reset()
		first := r.tick
		r.decode(rows)
		p := &piece{src: src, rows: rows, columns: r.batch.Columns}
		for range 3 {
			if !s.gather(p) {
				t.Fatal("nothing was gathered")
			}
		}
		held := 0
		for _, c := range s.gathered.cells {
			held += cap(c)
		}
		if s.gathered.bytes > maxGathered || held > 2*maxGathered {
			t.Errorf("bin %d: %d bytes wait, in %d", bin, s.gathered.bytes, held)
		}
		if shown := uint64(s.gathered.pieceRows); bin == 0 && shown+s.skipped != 3*rows {
			t.Errorf("%d rows wait, %d were skipped, of %d", shown, s.skipped, 3*rows)
		}
		if last := (first + rows - 1) * tickStep; bin == 0 && numbers[uint64](s.gathered.cells[0])[s.gathered.rows-1] != last {
			t.Error("the newest row is not there")
		}
	}
	c := newClient(r.server, nil, false)
	var err error
	asked := 0
	for ; err == nil && asked < 10_000; asked++ {
		err = c.show([]askShow{{Stream: "probe", Columns: []int{1, 2, 3}}})
	}
	if err == nil || !strings.Contains(err.Error(), "not read") || c.waiting > 2*maxReplies {
		t.Errorf("after %d questions whose answers were not read: %v, %d bytes wait", asked, err, c.waiting)
	}
	src.want(c, nil)
}
