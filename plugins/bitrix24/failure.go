package main

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// classification is who has to act on an error code, and how.
type classification struct {
	kind   provider.Kind
	remedy provider.Text
}

// classifications are the vendor's codes in lower case, those of its REST methods too: which of
// them the token endpoint can return is not documented. Errors that need no new
// authorization are Blocked and keep the tokens: paying a bill or installing the
// application again may restore the grant.
var classifications = map[string]classification{
	"invalid_grant":         {provider.ReauthorizationRequired, provider.Text{}}, // the operation adds the remedy
	"bad_verification_code": {provider.ReauthorizationRequired, provider.Text{}},
	"expired_token":         {provider.ReauthorizationRequired, provider.Text{}},

	"wrong_client":          {provider.Blocked, unknownClient},
	"invalid_client":        {provider.Blocked, wrongSecret},
	"not_installed":         {provider.Blocked, notInstalled},
	"error_oauth":           {provider.Blocked, notInstalled},
	"application_not_found": {provider.Blocked, notInstalled},
	"authorization_error":   {provider.Blocked, notInstalled},
	"invalid_credentials":   {provider.Blocked, wrongSecret},
	"payment_required":      {provider.Blocked, unpaid},
	"access_denied":         {provider.Blocked, unpaid},
	"portal_deleted":        {provider.Blocked, portalDeleted},
	"user_access_error":     {provider.Blocked, userBarred},
	"insufficient_scope":    {provider.Blocked, scopeTooWide},
	"invalid_scope":         {provider.Blocked, scopeTooWide},
	"overload_limit":        {provider.Blocked, overload},

	"connection_error":     {provider.Transient, provider.Text{}}, // a box that did not reach its authorization server
	"query_limit_exceeded": {provider.Transient, provider.Text{}},
	"operation_time_limit": {provider.Transient, provider.Text{}},
}

var (
	unknownClient = provider.Text{
		EN: "Bitrix24 does not know this client_id. Compare it with the application's card; an application that was deleted and added again has a new client_id and client_secret, and must be authorized again.",
		RU: "Битрикс24 не знает этот client_id. Сверьте его с карточкой приложения; у приложения, которое удалили и добавили заново, новые client_id и client_secret, и его нужно авторизовать снова.",
	}
	wrongSecret = provider.Text{
		EN: "Copy client_secret again from the application's card, and see that the application is installed: finish its installation, or tick “Uses only API”. The grant itself is kept.",
		RU: "Скопируйте client_secret из карточки приложения заново и проверьте, что приложение установлено: завершите установку или отметьте «Использует только API». Сам доступ сохранён.",
	}
	notInstalled = provider.Text{
		EN: "The application is not installed at the portal. Install it again, then authorize again if the renewal still fails.",
		RU: "Приложение не установлено на портале. Установите его снова и, если продление всё равно не пройдёт, авторизуйтесь заново.",
	}
	unpaid = provider.Text{
		EN: "The portal's plan, or the application's subscription, does not cover this or has run out. Pay for it at the portal; the grant is kept and tried again by itself.",
		RU: "Тариф портала или подписка на приложение закончились либо этого не включают. Оплатите на портале; доступ сохранён, попытки повторятся сами.",
	}
	portalDeleted = provider.Text{
		EN: "The portal was deleted. If it was by mistake, ask Bitrix24 support to bring it back; otherwise delete this connection.",
		RU: "Портал удалён. Если по ошибке, обратитесь в поддержку Битрикс24; если нет, удалите это подключение.",
	}
	userBarred = provider.Text{
		EN: "The person who authorized may no longer use the application. Allow it in the application's access rights, or have somebody else authorize.",
		RU: "Пользователю, который авторизовался, закрыт доступ к приложению. Откройте его в правах доступа приложения или авторизуйтесь другим пользователем.",
	}
	scopeTooWide = provider.Text{
		EN: "The application's card does not grant these permissions. Add them there, then authorize again.",
		RU: "В карточке приложения нет этих прав. Добавьте их там и авторизуйтесь снова.",
	}
	overload = provider.Text{
		EN: "Bitrix24 has blocked the portal's REST because of overload. Only its support can lift that.",
		RU: "Битрикс24 заблокировал REST портала из-за перегрузки. Снять блокировку может только поддержка.",
	}
	needsTLS = provider.Text{
		EN: "The service wants https. Enter the address of the portal or of the authorization server with https://.",
		RU: "Сервис требует https. Укажите адрес портала или сервера авторизации с https://.",
	}

	// spentCode and spentRefreshToken are for codes that are used for both.
	spentCode = provider.Text{
		EN: "The authorization code is good once and for 30 seconds only, and this one was used, too old, or of another application. Start again. If you paste codes by hand, paste the whole address: it says which server has the code.",
		RU: "Код авторизации действует один раз и 30 секунд; этот уже использован, устарел или от другого приложения. Начните заново. Если вставляете код вручную, вставляйте адрес целиком: в нём указан сервер, где лежит код.",
	}
	spentRefreshToken = provider.Text{
		EN: "Bitrix24 no longer accepts the grant: its refresh token was used elsewhere, has expired, or the application was removed. Authorize again, and let nobody else renew this grant.",
		RU: "Битрикс24 больше не принимает доступ: refresh-токен использован в другом месте, истёк или приложение удалили. Авторизуйтесь снова и не обновляйте этот доступ нигде больше.",
	}
)

// codes are the kinds of the classifications.
func codes() map[string]provider.Kind {
	kinds := make(map[string]provider.Kind, len(classifications))
	for code, m := range classifications {
		kinds[code] = m.kind
	}
	return kinds
}

// refused gives invalid_request its second meaning: "Https required".
func refused(reply *oauth.Reply, err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if ok && strings.EqualFold(e.Code, "invalid_request") && e.Kind == provider.Internal &&
		strings.Contains(strings.ToLower(reply.Text("error_description")), "https required") {
		e.Kind, e.Remedy = provider.Blocked, needsTLS
	}
	return err
}

// explain adds to an error what a person can do about it. spent is the remedy for
// a code or refresh token that is no longer good.
func explain(err error, spent provider.Text) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || !e.Remedy.IsZero() {
		return err
	}
	if e.Kind == provider.ReauthorizationRequired {
		e.Remedy = spent
	} else if m := classifications[strings.ToLower(e.Code)]; m.kind == e.Kind {
		e.Remedy = m.remedy
	}
	return err
}
