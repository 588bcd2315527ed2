package oauth

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Services put the meaning of an error into its text where they have no code for it, or
// behind a code that is not specific. Only texts with one interpretation are used here,
// and where two are possible, the one that keeps the grant.

var (
	// tooEarlyWords say that a token is not over yet.
	tooEarlyWords = regexp.MustCompile(`(?i)\b(has|have|is|did|does|token)?\s*(not|n't)\s+(yet\s+)?(been\s+)?expired?\b|too[\s_-]early|\bstill\s+(valid|active|alive)\b|\bbefore\s+(it|the\s+\w+(\s+\w+)?)\s+(has\s+)?expire|only\s+after\s+(the\s+)?(access[\s_]token|token|it)('s)?\s+(has\s+)?(expir|end)|(ещ[её]\s+)?не\s+(ист[её]к|просрочен|закончил)|ещ[её]\s+(действу|актив)`)
	// revokedWords indicate that the grant was revoked.
	revokedWords = regexp.MustCompile(`(?i)revoked|withdrawn|deactivated|deleted|отозван|удал[её]н`)
	// throttledWords indicate too many requests.
	throttledWords = regexp.MustCompile(`(?i)too\s+many\s+(\w+\s+)?(requests|attempts|calls|refresh|tokens)|rate[\s_-]?limit|throttl|too[\s_-](frequent|often)|request\s+limit|quota\s+(is\s+)?exceeded|слишком\s+(много|част)|превышен[оа]?\s+(лимит|числ|колич|квот)`)
	// passingWords say that the service cannot answer now.
	passingWords = regexp.MustCompile(`(?i)temporar(y|ily)\s+(un|error|fail|down|out)|transient\s+error|(ещ[её]\s+раз|попробуйте|повторите)\s+(попытку\s+)?позже|временно\s+недоступ`)
	// deadWords say of a refresh token, or of the token that was sent, that it is over.
	deadWords = regexp.MustCompile(`(?i)(refresh[\s_-]?token)['"]?\s*(\S+\s+)?(is|was|has|has\s+been|have\s+been|:)?\s*(an?\s+)?(already\s+|been\s+|was\s+)*(invalid|expired|revoked|used|unknown|inactive|malformed|not\s+(found|valid|active|recognized|recognised|exist)|does\s+not\s+exist|doesn't\s+exist|no\s+longer|consumed|deactivated|deleted)|(invalid|expired|revoked|unknown|inactive|bad|incorrect|wrong|unrecognized)\s+(or\s+\w+\s+)?['"]?refresh[\s_-]?token|token\s+(has\s+been|was|is)\s+(already\s+)?(revoked|deactivated|withdrawn)|(token|grant|authorization|consent)\s+(has\s+been\s+|was\s+|is\s+)?(revoked|withdrawn)\s+by|has\s+revoked\s+(the\s+)?(access|grant|token|consent)|refresh[\s-]?токен\S*\s+(\S+\s+)?(недействител|ист[её]к|отозван|использован|не\s+найден|просрочен)|токен\S*\s+(был\s+)?отозван`)
	// missingWords indicate a missing parameter, which is a fault of the request and not
	// of the grant.
	missingWords = regexp.MustCompile(`(?i)\b(missing|required|must\s+(be|contain|provide)|not\s+(provided|specified|supplied|set)|no\s+refresh|empty|отсутству|обязател|не\s+(указан|передан|задан))`)
)

// snake writes a code as the tables do: invalid_refresh_token, whether the service
// writes invalid-refresh-token, InvalidRefreshToken or "Invalid Refresh Token".
func snake(code string) string {
	var b strings.Builder
	lower := false
	for _, c := range code {
		switch {
		case c == '-' || c == ' ' || c == '.':
			c = '_'
		case unicode.IsUpper(c) && lower:
			b.WriteByte('_')
		}
		lower = unicode.IsLower(c)
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// saysTooEarly reports whether an answer indicates that the token may not be renewed yet.
func saysTooEarly(codes []string, said string) bool {
	for _, code := range codes {
		code = snake(code)
		if slices.ContainsFunc(early, func(e string) bool { return code == e || strings.HasSuffix(code, "_"+e) }) {
			return true
		}
	}
	return tooEarlyWords.MatchString(said) && !revokedWords.MatchString(said)
}

// saysThrottled reports whether an answer indicates too many requests.
func saysThrottled(said string) bool { return throttledWords.MatchString(said) }

// saysPassing reports whether an answer indicates a temporary error.
func saysPassing(said string) bool { return passingWords.MatchString(said) }

// saysDead reports whether an answer indicates that the refresh token, or the token that
// was sent, has ended.
func saysDead(said string) bool {
	return deadWords.MatchString(said) && !missingWords.MatchString(said)
}
