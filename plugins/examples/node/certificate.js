// A certificate for this process alone, which the hub learns from the
// handshake. Node.js can sign but has no X.509 writer, so its few fields are
// written here in DER (RFC 5280).
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const tlv = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  const n = body.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts) => tlv(0x30, ...parts);
const oid = (hex) => tlv(0x06, Buffer.from(hex, 'hex'));
const extension = (id, critical, value) =>
  sequence(oid(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value));
const time = (date) => tlv(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));

const COMMON_NAME = '550403';
const ECDSA_SHA256 = '2a8648ce3d040302';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const EXTENDED_KEY_USAGE = '551d25';
const SERVER_AUTH = '2b06010505070301';
const CLIENT_AUTH = '2b06010505070302';

// newCertificate returns { key, pem, der }: key and pem for TLS, der for the
// handshake line.
export function newCertificate() {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(tlv(0x31, sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from('localhost')))));
  const algorithm = sequence(oid(ECDSA_SHA256));
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40; // positive, no leading zero
  const now = Date.now();
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))), // version 3
    tlv(0x02, serial),
    algorithm,
    name,
    sequence(time(new Date(now - 300e3)), time(new Date(now + 3650 * 86400e3))),
    name,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(
      extension(SUBJECT_ALT_NAME, false, sequence(tlv(0x82, Buffer.from('localhost')))),
      extension(BASIC_CONSTRAINTS, true, sequence(tlv(0x01, Buffer.from([0xff])))),
      extension(KEY_USAGE, true, tlv(0x03, Buffer.from([1, 0b10101110]))), // signature, encipherment, agreement, certificates, CRLs
      extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
    )),
  );
  const signature = sign('sha256', toBeSigned, createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const der = sequence(toBeSigned, algorithm, tlv(0x03, Buffer.from([0]), signature));
  const base64 = der.toString('base64');
  return {
    key: Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    pem: Buffer.from(`-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`),
    der,
    publicKey: createPublicKey(pair.privateKey),
  };
}
