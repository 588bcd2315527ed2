// Everything in memory, for as long as it lives: the storage that oidc-provider
// brings forgets the oldest of a thousand entries, and a grant that is forgotten
// looks as if it were revoked.
const entries = new Map();
const members = new Map(); // keys of entries by grant
const sessions = new Map(); // ids by uid

export class Storage {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    entries.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    if (payload.grantId && this.model !== 'Grant') {
      if (!members.has(payload.grantId)) members.set(payload.grantId, new Set());
      members.get(payload.grantId).add(key);
    }
    if (this.model === 'Session') sessions.set(payload.uid, id);
  }

  async find(id) {
    const entry = entries.get(this.key(id));
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    return this.find(sessions.get(uid));
  }

  async findByUserCode(userCode) {
    for (const { payload, until } of entries.values()) {
      if (payload.userCode === userCode && until > Date.now()) return payload;
    }
    return undefined;
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of members.get(grantId) ?? []) entries.delete(key);
    members.delete(grantId);
  }
}
