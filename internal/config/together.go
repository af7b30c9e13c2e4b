package config

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"sort"
)

// together checks what several keys, perhaps of several files, say together.
func (d *decoder) together(opt Options) Errors {
	d.errs = nil
	d.windows()
	d.smtp(opt)
	order := func(e Error) int { return slices.Index(d.c.Files, e.File) }
	sort.SliceStable(d.errs, func(i, j int) bool {
		a, b := d.errs[i], d.errs[j]
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Line, b.Line)) < 0
	})
	return d.errs.capped()
}

// failAt reports a mistake where key was set last.
func (d *decoder) failAt(key, msg, hint string) {
	m := d.at[key]
	d.errs = append(d.errs, Error{File: m.file, Line: m.line, Msg: key + ": " + msg, Hint: hint})
}

// smtp checks what is needed to log in to a mail server.
func (d *decoder) smtp(opt Options) {
	s := d.c.Mail.SMTP
	switch {
	case s.User != "" && s.PasswordFile == "":
		d.failAt("mail.smtp.user", "a user without password_file", "name a file that holds the password, mode 0600")
	case s.User == "" && s.PasswordFile != "":
		d.failAt("mail.smtp.password_file", "a password without user", "name the user, too")
	case s.User != "" && s.TLS == TLSNone && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, s.Host):
		d.failAt("mail.smtp.tls", "none would send the password in clear over the network", "write starttls or tls")
	}
	if opt.CheckOwner && s.PasswordFile != "" {
		// A missing file is the mail's trouble, not a reason to block nobody.
		if err := CheckOwner(s.PasswordFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			e := fileError(s.PasswordFile, err)
			d.failAt("mail.smtp.password_file", s.PasswordFile+" "+e.Msg, e.Hint)
		}
	}
}
