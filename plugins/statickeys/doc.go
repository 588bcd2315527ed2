// Evergrant-provider-statickeys serves services whose access is a key that a person makes
// there and enters in the hub: wildberries, ozon-seller, yandex-market, telegram-session,
// and api-key for any other.
//
// The walk: Static makes a token set of what was entered. What the key itself tells (the exp
// claim of a JWT) is its end; where the service has an address that answers a key, it is
// asked, so that a wrong key does not replace the one in force. Nothing is sent otherwise.
package main
