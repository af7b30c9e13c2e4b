package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
	"blockhosts/mail"
)

// openLog makes the log that the configuration asks for.
func (j *job) openLog() (*report.Log, error) {
	level, err := report.ParseLevel(j.config.Verbose)
	if err != nil {
		return nil, err
	}
	o := report.LogOptions{Stderr: j.world.Stderr, Level: level, TimeFormat: j.config.Log.TimeFormat,
		Now: j.world.Now.In(j.world.Local), DryRun: j.opt.DryRun}
	if !j.opt.DryRun && j.world.Syslog {
		o.Syslog = new(report.Syslog)
	}
	if j.config.Log.File != "" && !j.opt.DryRun && !j.opt.LoadOnly {
		f, err := report.OpenActions(j.config.Log.File)
		if err != nil {
			j.problem("log.file "+j.config.Log.File, err)
		} else {
			o.Actions = f
		}
	}
	return report.NewLog(o), nil
}

// announce tells what was read and decided.
func (j *job) announce() {
	for _, f := range j.scan.Files {
		if j.opt.Quick && f.Matched == 0 { // what it said could be in a log that the watch reads
			continue
		}
		j.log.Infof("%s", fileText(f))
	}
	j.log.Decided(j.decisions)
}

// fileText says what a scan made of one source.
func fileText(f logscan.FileReport) string {
	text := fmt.Sprintf("%s: %d bytes read, %d lines, %d of them failures", f.Path, f.Read, f.Lines, f.Matched)
	if f.Waiting > 0 {
		text += fmt.Sprintf(", %d bytes wait for the end of their line", f.Waiting)
	}
	switch {
	case f.PossiblyLost > 0 && f.Gap:
		text += fmt.Sprintf(", %d bytes possibly lost, and others, nobody knows how many", f.PossiblyLost)
	case f.PossiblyLost > 0:
		text += fmt.Sprintf(", %d bytes possibly lost", f.PossiblyLost)
	case f.Gap:
		text += ", lines possibly lost, nobody knows how many"
	}
	if f.Untrusted > 0 {
		text += fmt.Sprintf("; %d entries were left alone: who wrote them is not, or may not be, who they say", f.Untrusted)
	}
	return text
}

// news notes which conditions last, tells of them when they are news, and
// returns what of it a mail should tell: that something fails, or works again.
func (j *job) news() expire.News {
	var news expire.News
	j.next.Troubles, news = expire.Troubles(j.prev.Troubles, j.problems, j.world.Now)
	for _, p := range slices.Concat(news.Began, news.Lasting) {
		if slices.Contains(j.told, p.Key) {
			continue
		}
		j.told = append(j.told, p.Key)
		switch {
		case p.Fails:
			j.log.Errorf("%s", p.Text)
		case p.Warns:
			j.log.Warningf("%s", p.Text)
		default:
			j.log.Noticef("%s", p.Text)
		}
	}
	notice := func(p record.Problem) bool { return !p.Fails }
	news.Began = slices.DeleteFunc(news.Began, notice)
	news.Lasting = slices.DeleteFunc(news.Lasting, notice)
	return news
}

// mailWanted tells whether this run may mail at all.
func (j *job) mailWanted() bool { return j.config.Mail.Enabled && j.opt.Mail }

// mail sends what happened. Events that stood in the section for a mail are
// off it once they are sent; until then they stay.
func (j *job) mail(ctx context.Context) {
	if j.opt.Quick {
		j.carry("mail")
	}
	if j.toldUnsaved() {
		return
	}
	news := j.news()
	if !j.mailWanted() {
		return
	}
	if j.opt.Quick {
		j.opt.keep.tellLater(j, news)
		return
	}
	news = j.withUntold(news)
	m, send := j.message(news)
	var err error
	if send {
		err = j.post(ctx, m)
	}
	if err != nil {
		j.problem("mail", err)
		j.news()
		if j.unsaved && j.held != nil {
			j.held.SetUnsaved(time.Time{}) // the next run tries again to tell
		}
	}
	_, refused := errors.AsType[*mail.RefusedError](err) // some of the recipients
	told := err == nil || refused
	switch {
	case j.opt.CheckIP != "": // it told of one address, and of nothing else
		news.Ended = slices.DeleteFunc(news.Ended, func(t record.Trouble) bool { return t.Unmailed })
		j.keepUntold(news)
	case told:
		j.next.Unmailed = nil
		j.markTroubles(func(record.Trouble) bool { return false })
	default:
		j.keepUntold(news)
	}
}

// unsavedEvery is how often a section that cannot be written is told of, and
// with it all that this and the next runs find again and again meanwhile.
const unsavedEvery = 24 * time.Hour

// toldUnsaved tells whether the section could not be written, and a run before
// has told so already: none of its news would be on record.
func (j *job) toldUnsaved() bool {
	if j.held == nil || j.opt.LoadOnly || j.opt.CheckIP != "" {
		return false
	}
	if !j.unsaved {
		j.held.SetUnsaved(time.Time{})
		return false
	}
	if since := j.held.Unsaved(); !since.IsZero() && j.world.Now.Sub(since).Abs() < unsavedEvery {
		return true
	}
	if !j.opt.Quick { // which mails nothing
		j.held.SetUnsaved(j.world.Now)
	}
	return false
}

// withUntold adds to the news the conditions that last and that no mail has
// told of, since none could be sent when they began.
func (j *job) withUntold(news expire.News) expire.News {
	isNews := slices.Concat(news.Began, news.Lasting)
	for _, t := range j.next.Troubles {
		named := func(p record.Problem) bool { return p.Key == t.Text }
		if !t.Unmailed || slices.ContainsFunc(isNews, named) {
			continue
		}
		if i := slices.IndexFunc(j.problems, named); i >= 0 {
			news.Lasting = append(slices.Clone(news.Lasting), j.problems[i])
		}
	}
	return news
}

// keepUntold leaves the news on record for the next mail. A condition that is
// over stays as if it lasted: the next run finds again that it does not.
func (j *job) keepUntold(news expire.News) {
	_, _, news = j.opt.keep.untold(nil, nil, news)
	untold := slices.Concat(news.Began, news.Lasting)
	j.markTroubles(func(t record.Trouble) bool {
		return slices.ContainsFunc(untold, func(p record.Problem) bool { return p.Key == t.Text })
	})
	for _, t := range news.Ended {
		i, lasts := slices.BinarySearchFunc(j.next.Troubles, t.Text, func(x record.Trouble, text string) int { return strings.Compare(x.Text, text) })
		if !lasts {
			j.next.Troubles = slices.Insert(j.next.Troubles, i, t)
		}
	}
}

// markTroubles notes which conditions the next mail is to tell.
func (j *job) markTroubles(unmailed func(record.Trouble) bool) {
	j.next.Troubles = slices.Clone(j.next.Troubles)
	for i, t := range j.next.Troubles {
		j.next.Troubles[i].Unmailed = unmailed(t)
	}
}

func (j *job) post(ctx context.Context, m mail.Message) error {
	c, err := j.mailConfig()
	if err != nil {
		return err
	}
	return mail.Send(ctx, c, m)
}

// message returns the mail about this run, and whether there is anything to say.
func (j *job) message(news expire.News) (mail.Message, bool) {
	decisions, earlier, news := j.opt.keep.untold(j.decisions, j.prev.Unmailed, news)
	in := report.MailInput{
		Host: j.world.Host, Now: j.world.Now.In(j.world.Local), Decisions: decisions, Earlier: earlier,
		Began: news.Began, Lasting: news.Lasting, Ended: news.Ended,
		State: j.next, Ends: j.ends(j.next),
	}
	if j.opt.CheckIP != "" {
		in.CheckIP, _ = record.ParseAddr(j.opt.CheckIP) // prepare has checked it
	}
	subject, body, send := report.Mail(in)
	return mail.Message{From: j.sender(), To: j.config.Mail.To, Subject: subject, Body: body, Date: in.Now}, send
}

// ends tells when the blocks of a state end as things stand.
func (j *job) ends(st record.State) report.Ends {
	return func(b record.Block) time.Time { return expire.Ends(st, b, j.policy) }
}

// sender is who the mail comes from.
func (j *job) sender() string {
	if from := j.config.Mail.From; from != "" {
		return from
	}
	return "blockhosts@" + j.world.Host
}

// mailConfig returns the way that mail goes. The dry run needs no password.
func (j *job) mailConfig() (mail.Config, error) {
	s := j.config.Mail.SMTP
	c := mail.Config{Sendmail: j.config.Mail.Sendmail, SMTP: mail.SMTP{Host: s.Host, Port: s.Port, TLS: s.TLS, User: s.User}}
	if s.PasswordFile == "" || j.opt.DryRun {
		return c, nil
	}
	password, err := config.ReadPassword(s.PasswordFile, j.world.Root)
	if err != nil {
		return c, fmt.Errorf("read the mail server's password: %w", err)
	}
	c.SMTP.Password = password
	return c, nil
}

// mailRoute says how mail goes, for the dry run.
func (j *job) mailRoute() string {
	if s := j.config.Mail.SMTP; s.Host != "" {
		return fmt.Sprintf("by %s port %d", s.Host, s.Port)
	}
	return "by " + j.config.Mail.Sendmail
}
