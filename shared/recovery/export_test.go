package recovery

// Inside is the quick look at a channel, for tests.
var Inside = inside
