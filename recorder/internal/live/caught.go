package live

import "fmt"

// caught is deferred where a client is served outside of net/http, which does so itself:
// a fault of the program is then the end of that client, and not of the recording. A
// panic would end the process without a way out, and a port would keep its voltage.
func caught(end func(fault error)) {
	if p := recover(); p != nil {
		end(fmt.Errorf("live: a fault of the program: %v", p))
	}
}
