package pluginhost

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const (
	// probation is how long a new version is watched after it took over, and
	// callProbation how long its calls are: a renewal may first be due after days.
	probation     = 10 * time.Minute
	callProbation = 7 * 24 * time.Hour
	// maxStrikes is how often it may fail in that time before the version before it
	// comes back.
	maxStrikes = 3
	// maxTries is how often a new version is started beside the old one.
	maxTries = 3
)

// content is a plugin's program with its description.
type content struct {
	source Source
	// program is the sum of the program, sum that of the whole content.
	program, sum string
	version      string
	descriptions []provider.Description
	uses         []string
	// problems are of documents that it does not serve.
	problems []providerplugin.DocumentProblem
}

// trial is a new content on the way to take over, or on probation.
type trial struct {
	// of names the content.
	of string
	// before is what it replaced; nil before it took over, and for a first one.
	before *content
	// since is when it took over, strikes how often it failed since, or how often it
	// could not be started before.
	since   time.Time
	strikes int
	// refused is why it is not taken; "" while it may be.
	refused string
	// broken are the times of late at which the plugin failed in an operation, by its
	// name, since one of that name came to an end.
	broken map[string][]time.Time
}

// examine gets the description of a plugin, from the cache or from the plugin. If another
// content of it is in use, the new one has to run before it takes over.
func (s *supervisor) examine(ctx context.Context, source Source) {
	if s.wasRefused(source) {
		return
	}
	program, err := sumOf(source)
	if err != nil {
		s.notTaken(source, err)
		return
	}
	sum := contentSum(program, source.Documents.Sum())
	if s.refusedDocuments(source, sum) || !s.isNews(source, sum) {
		return
	}
	if s.adoptCached(ctx, source, program, sum) {
		return
	}
	in, err := s.host.launch(ctx, source, s.output)
	if ctx.Err() != nil && err != nil {
		return // not the plugin's fault
	}
	if err == nil {
		if err = s.accepts(source, program, in.info.Descriptions); err != nil {
			s.host.work.Go(func() { in.stop(0) })
		}
	}
	if err != nil {
		s.notTaken(source, err)
		return
	}
	s.takeOver(ctx, in.content())
	s.install(in)
}

// content is what the instance was started from and says of itself.
func (in *instance) content() content {
	return content{source: in.source, program: in.program, sum: in.sum, version: in.info.Version, descriptions: in.info.Descriptions, uses: in.uses, problems: in.problems}
}

// isNews reports whether the plugin has to describe itself, and resets its failures.
func (s *supervisor) isNews(source Source, sum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.content.sum == sum && s.content.source.id() == source.id() && len(s.content.descriptions) > 0
	changed := s.content.source.id() != source.id() || sum != s.tried
	if changed || s.restarts.defect || s.restarts.spent && len(s.content.descriptions) > 0 {
		s.restarts = restarts{}
	}
	s.tried = sum
	if known {
		s.content.source = source
	}
	return !known
}

// adoptCached uses the cached description of a program, unless a process is to be
// replaced: that requires a running one.
func (s *supervisor) adoptCached(ctx context.Context, source Source, program, sum string) bool {
	s.mu.Lock()
	running := s.current != nil
	s.mu.Unlock()
	if s.host.opts.Cache == nil || running {
		return false
	}
	known, found, err := s.host.opts.Cache.PluginBySum(ctx, sum)
	if err != nil {
		s.log.Warn("read cached plugin description failed, starting the plugin", "error", err)
	}
	if err != nil || !found || len(known.Descriptions) == 0 || s.accepts(source, program, known.Descriptions) != nil {
		return false
	}
	s.takeOver(ctx, content{source: source, program: program, sum: sum, version: known.Version, descriptions: known.Descriptions, uses: known.Uses})
	return true
}

// accepts checks whether what is in use now can do without what a new content lacks.
func (s *supervisor) accepts(source Source, program string, descriptions []provider.Description) error {
	s.mu.Lock()
	first := len(s.content.descriptions) == 0
	sameProgram := s.content.program == program
	s.mu.Unlock()
	if first || s.host.opts.Accept == nil {
		return nil
	}
	err := s.host.opts.Accept(s.name, descriptions)
	_, loses := errors.AsType[*LossError](err)
	accepted := source.Package != nil && source.Package.LossesAccepted || sameProgram && source.Documents.LossesAccepted
	if err == nil || loses && accepted {
		return nil
	}
	return defectf("%v", err)
}

// takeOver puts a content in the place of another one, on probation.
func (s *supervisor) takeOver(ctx context.Context, c content) {
	s.mu.Lock()
	gone := s.trial.refused != "" && s.trial.of == s.content.source.id() // the installer has gone back
	if pack := c.source.Package; pack != nil {
		gone = gone || slices.Contains(pack.Rejected, s.content.source.packageSum()) // that of another replica has
	}
	s.trial = trial{of: c.source.id()}
	if before := s.content; !gone && len(before.descriptions) > 0 && before.source.id() != c.source.id() {
		s.trial.before, s.trial.since = &before, time.Now()
		s.log.Info("plugin replaced", "from", before.version, "to", c.version, "documents", len(c.source.Documents.list))
	}
	s.mu.Unlock()
	s.adopt(ctx, c)
}

// install puts a described instance in the place of a running one. Without one
// it is stopped: plugins run when they are called.
func (s *supervisor) install(in *instance) {
	s.mu.Lock()
	running := s.current != nil
	s.mu.Unlock()
	if running {
		s.replaceWith(in)
		return
	}
	in.stop(s.host.opts.StopGrace)
}

// refusedDocuments reports whether a set of documents was not taken with this program.
func (s *supervisor) refusedDocuments(source Source, sum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(source.Documents.list) > 0 && s.trial.of == source.id() && s.trial.refused != "" && s.tried == sum
}

func (s *supervisor) wasRefused(source Source) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return source.Package != nil && s.trial.of == source.id() && s.trial.refused != ""
}

// notTaken notes that a source cannot be used. What is in use stays.
func (s *supervisor) notTaken(source Source, err error) {
	s.mu.Lock()
	inUse := len(s.content.descriptions) > 0 && s.content.source.id() != source.id()
	if !inUse {
		s.content.source = source
		s.mu.Unlock()
		s.startFailed(err)
		return
	}
	if s.trial.of != source.id() || s.trial.before != nil {
		s.trial = trial{of: source.id()}
	}
	s.trial.strikes++
	if isDefect(err) || s.trial.strikes >= maxTries {
		s.trial.refused = err.Error()
	}
	refused := s.trial.refused
	s.lastError, s.lastWords, s.lostLast = err.Error(), wordsOf(err), nil
	s.log.Error("new plugin version failed to start, the previous version stays", "error", err, "gives_up", refused != "")
	s.mu.Unlock()
	if refused != "" {
		s.host.rejected(source, refused)
	}
}

// struck counts a failure of the content in use, and rolls back a new version that fails
// too often. cause is called later and may block shortly. The caller holds mu.
func (s *supervisor) struck(now time.Time, cause func() string) {
	if !s.onTrial(now, probation) {
		return
	}
	if s.trial.strikes++; s.trial.strikes >= maxStrikes {
		s.goBack(cause)
	}
}

// onTrial reports whether what is in use took the place of something within the last
// time that it can still go back to. After a start of the hub only an installed package
// can. The caller holds mu.
func (s *supervisor) onTrial(now time.Time, within time.Duration) bool {
	if s.trial.refused != "" {
		return false
	}
	if s.trial.before != nil {
		return now.Sub(s.trial.since) <= within
	}
	pack := s.content.source.Package
	return pack != nil && !pack.ReplacedAt.IsZero() && now.Sub(pack.ReplacedAt) <= within
}

// goBack rolls back to the previous content: at once if it is known here, else through
// Options.Rejected. The caller holds mu.
func (s *supervisor) goBack(cause func() string) {
	bad, failed, back := s.content.source, s.content.version, "the one installed before"
	before := s.trial.before
	s.trial = trial{of: bad.id(), refused: "it keeps failing"}
	if before != nil {
		back = before.version
		s.content, s.restarts = *before, restarts{}
		if old := s.current; old != nil {
			s.current = nil
			s.leave(context.Background(), old)
		}
		s.host.work.Go(s.host.index)
	}
	s.host.work.Go(func() { // the reason may take a moment
		reason := cause()
		s.log.Error("new plugin version keeps failing, rolled back", "failed", failed, "back", back, "error", reason)
		s.mu.Lock()
		if s.trial.of == bad.id() {
			s.trial.refused = reason
		}
		s.mu.Unlock()
		s.host.rejected(bad, reason)
	})
}

// Try starts an installed plugin beside the running one and checks whether it would be
// accepted. Nothing is changed. Errors: *LossError, what Options.Accept returned, or why
// it does not start.
func (h *Host) Try(ctx context.Context, source Source) error {
	in, err := h.launch(ctx, source, newOutput(h.log.With("plugin", source.Name)))
	if err != nil {
		return err
	}
	defer in.stop(h.opts.StopGrace)
	if h.opts.Accept != nil {
		if err := h.opts.Accept(source.Name, in.info.Descriptions); err != nil {
			return err
		}
	}
	if len(in.problems) > 0 {
		return &DocumentsError{Problems: in.problems}
	}
	return nil
}

// rejected reports that an installed content is not used any more.
func (h *Host) rejected(source Source, reason string) {
	if len(source.Documents.list) > 0 && h.opts.DocumentsRefused != nil {
		h.work.Go(func() { h.opts.DocumentsRefused(source.Name, reason) })
	}
	if source.Package != nil && h.opts.Rejected != nil {
		h.work.Go(func() { h.opts.Rejected(source.Name, source.Package.Sum, reason) })
	}
}
