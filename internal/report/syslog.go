package report

import "log/syslog"

// A Syslog is the system log, opened at the first message. A machine without
// one is no error: what is grave goes to Stderr too.
type Syslog struct {
	Network, Address string // see net.Dial; empty: this host's own log
	w                *syslog.Writer
	none             bool
}

// Send writes one line of clean text as "blockhosts", facility auth.
func (s *Syslog) Send(level Level, text string) {
	if s.w == nil && !s.none {
		w, err := syslog.Dial(s.Network, s.Address, syslog.LOG_AUTH|syslog.LOG_NOTICE, "blockhosts")
		s.w, s.none = w, err != nil
	}
	if s.none {
		return
	}
	var err error
	switch level {
	case LevelError:
		err = s.w.Err(text)
	case LevelWarning:
		err = s.w.Warning(text)
	case LevelNotice:
		err = s.w.Notice(text)
	case LevelInfo:
		err = s.w.Info(text)
	default:
		err = s.w.Debug(text)
	}
	if err != nil { // the daemon went away
		s.Close()
		s.none = true
	}
}

// Close ends the connection.
func (s *Syslog) Close() {
	if s.w != nil {
		_ = s.w.Close()
		s.w = nil
	}
}
