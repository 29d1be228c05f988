package command

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/live"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/web"
)

// liveFlags are the flags of `oniscope record` for those who follow a recording.
type liveFlags struct {
	listen, token    string
	tlsCert, tlsKey  string
	origins, sockets []string
	stream           string

	set *pflag.FlagSet // nil: nobody asks which were given
}

func (f *liveFlags) add(fl *pflag.FlagSet) {
	f.set = fl
	fl.StringVar(&f.listen, "listen", "", "serve the live view at `ADDR`, such as 127.0.0.1:8765; any other address than loopback asks for a token")
	fl.StringVar(&f.token, "token", "", "`TOKEN` that the live view asks for (default a new one, which is printed)")
	fl.StringArrayVar(&f.origins, "allow-origin", nil, "let pages of `ORIGIN` (https://host) read the live view")
	fl.StringVar(&f.tlsCert, "tls-cert", "", "certificate `FILE` of the live view, in PEM")
	fl.StringVar(&f.tlsKey, "tls-key", "", "its key `FILE`")
	fl.StringArrayVar(&f.sockets, "ephys-socket", nil, "give channels to the Ephys Socket plug-in of the Open Ephys GUI, on loopback: `PORT=STREAM`, and for AP or LFP alone PORT=STREAM:AP")
	fl.StringVar(&f.stream, "stream", "", "write the stream `NAME` to standard output, as Arrow IPC, while all are recorded")
}

// A liveView is what follows a recording.
type liveView struct {
	flags     *liveFlags
	hub       *live.Hub // nil: nobody follows
	listeners []net.Listener
	sockets   []live.EphysSocket
	options   live.Options
	server    *live.Server
	streamed  chan error // ends when --stream does
	cancel    context.CancelFunc
}

// newLiveView takes the addresses, before anything is recorded.
func (f *liveFlags) newLiveView() (_ *liveView, err error) {
	v := &liveView{flags: f}
	for name, value := range map[string]string{"listen": f.listen, "token": f.token, "tls-cert": f.tlsCert, "tls-key": f.tlsKey, "stream": f.stream} {
		if f.set != nil && f.set.Changed(name) && value == "" { // as an empty variable of a script gives it
			return nil, usagef("--%s is empty", name)
		}
	}
	if f.listen == "" {
		for name, given := range map[string]bool{"--token": f.token != "", "--allow-origin": len(f.origins) > 0, "--tls-cert": f.tlsCert != "", "--tls-key": f.tlsKey != ""} {
			if given {
				return nil, usagef("%s is for --listen", name)
			}
		}
	}
	if f.listen == "" && f.stream == "" && len(f.sockets) == 0 {
		return v, nil
	}
	for _, text := range f.sockets {
		e, err := live.ParseEphysSocket(text)
		if err != nil {
			return nil, usagef("--ephys-socket %v", err)
		}
		v.sockets = append(v.sockets, e)
	}
	v.options = live.Options{Page: web.Files, Token: f.token}
	for _, text := range f.origins {
		origin, err := live.ParseOrigin(text)
		if err != nil {
			return nil, usagef("--allow-origin %s: %v", text, err)
		}
		v.options.AllowOrigin = append(v.options.AllowOrigin, origin)
	}
	if f.token == "" {
		v.options.Token = live.NewToken()
	} else if err := live.CheckToken(f.token); err != nil {
		return nil, usagef("--token: %v", err)
	}
	if f.tlsCert != "" || f.tlsKey != "" {
		if v.options.Certificate, err = loadCertificate(f.tlsCert, f.tlsKey); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			v.closeListeners()
		}
	}()
	address := f.listen
	if address == "" {
		address = "127.0.0.1:0" // for the sockets' server, which nobody is told of
	}
	if f.listen != "" || len(v.sockets) > 0 {
		if err := v.open("--listen", address, address); err != nil {
			return nil, err
		}
	}
	if f.listen != "" {
		v.options.Host, _, _ = net.SplitHostPort(f.listen) // it was listened to
	}
	for _, e := range v.sockets {
		if err := v.open("--ephys-socket", strconv.Itoa(e.Port), net.JoinHostPort("127.0.0.1", strconv.Itoa(e.Port))); err != nil {
			return nil, err
		}
	}
	v.hub = live.NewHub()
	return v, nil
}

func (v *liveView) open(flag, given, address string) error {
	l, err := listenOn(flag, given, address)
	if err != nil {
		return err
	}
	v.listeners = append(v.listeners, l)
	return nil
}

func (v *liveView) closeListeners() {
	for _, l := range v.listeners {
		l.Close()
	}
}

// listener is what the run tells; nil: nobody follows.
func (v *liveView) listener() run.Listener {
	if v.hub == nil {
		return nil
	}
	return v.hub
}

// needs are the streams that must be there.
func (v *liveView) needs() (list []run.Need) {
	if v.flags.stream != "" {
		list = append(list, run.Need{Stream: v.flags.stream})
	}
	for _, e := range v.sockets {
		list = append(list, run.Need{Stream: e.Stream, Check: e.Check})
	}
	return list
}

// start answers, and says where.
func (v *liveView) start(rec *run.Run, stdout io.Writer, say func(string)) error {
	if v.hub == nil {
		return nil
	}
	v.options.Control, v.options.Say = rec, say
	if len(v.listeners) > 0 {
		server, err := live.Serve(v.listeners[0], v.hub, v.options)
		if err != nil {
			return err
		}
		v.server = server
		for i, e := range v.sockets {
			server.Ephys(v.listeners[1+i], e)
		}
	}
	if v.flags.listen != "" {
		say("live view: " + v.address())
		if at := v.listeners[0].Addr().(*net.TCPAddr); !at.IP.IsLoopback() && v.options.Certificate == nil {
			say("the live view is not encrypted: whoever reads this network reads the token and the data; --tls-cert and --tls-key encrypt it")
		}
		if c := v.options.Certificate; c != nil {
			if trouble := certificateTrouble(c, time.Now()); trouble != "" {
				say(trouble)
			}
		}
		if !web.HasEngine() {
			say("oniscope: built without the page: run go tool mage build")
		}
	}
	if v.flags.stream != "" {
		ctx, cancel := context.WithCancel(context.Background())
		v.cancel = cancel
		v.streamed = make(chan error, 1)
		go func() {
			err := v.hub.FollowWhenThere(ctx, v.flags.stream, live.Following{From: "start"}, stdout)
			if isGone(err) {
				say(fmt.Sprintf("nobody reads %s from standard output any more; all streams are recorded as before", v.flags.stream))
			}
			v.streamed <- err
		}()
	}
	return nil
}

// address is what a person opens.
func (v *liveView) address() string {
	at := v.listeners[0].Addr().(*net.TCPAddr)
	host := v.options.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	scheme := "http"
	if v.options.Certificate != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(at.Port)) + "/?token=" + v.options.Token
}

// end lets those who follow hear of the end. What standard output has not taken
// yet is waited for, as long as nobody interrupts.
func (v *liveView) end(interrupts <-chan os.Signal, say func(string), warn func(error)) {
	if v.hub == nil {
		return
	}
	if v.streamed != nil {
		var err error
		if !v.hub.Over() {
			v.cancel() // nothing was recorded, or it was aborted
		}
		select {
		case err = <-v.streamed:
		case <-interrupts:
			v.cancel()
		}
		if err != nil && !isGone(err) {
			warn(fmt.Errorf("--stream %s: %w", v.flags.stream, err))
		}
		v.cancel()
	}
	if v.server != nil {
		late := time.AfterFunc(time.Second, func() {
			if v.hub.Over() {
				say("the files are complete; who follows reads the last of them, for a minute at most: Ctrl-C ends that too")
			}
		})
		v.server.Close(interrupts)
		late.Stop()
	}
	v.hub.Close()
	v.closeListeners()
}
