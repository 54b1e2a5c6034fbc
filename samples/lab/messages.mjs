// The incident's protocol in the JSON encodings that serde makes from a Rust enum.
// In: a message type in PascalCase and fields in snake_case. Out: the text on the wire, and back.
// The API version in the WebSocket's path selects the encoding, so that one server can speak all of them.

const CODECS = {
  v1: { tagging: 'internal', types: 'pascal', fields: 'snake', commandIdKey: 'id' },
  v2: { tagging: 'adjacent', content: 'payload', types: 'pascal', fields: 'snake', commandIdKey: 'command_id' },
  v3: { tagging: 'external', types: 'pascal', fields: 'snake', commandIdKey: 'id' },
  v4: { tagging: 'internal', types: 'snake', fields: 'snake', commandIdKey: 'command_id' },
  v5: { tagging: 'internal', types: 'camel', fields: 'camel', commandIdKey: 'command_id' },
  v6: { tagging: 'adjacent', content: 'data', types: 'camel', fields: 'camel', commandIdKey: 'command_id' },
  v7: { tagging: 'external', types: 'snake', fields: 'snake', commandIdKey: 'command_id' },
  // As v1, but the Rust struct declares the long field first: the ID comes last, after kilobytes.
  v8: { tagging: 'internal', types: 'pascal', fields: 'snake', commandIdKey: 'id', idLast: true },
};

const TYPES = [
  'Auth',
  'AuthAck',
  'ConfigUpdate',
  'Command',
  'Heartbeat',
  'HeartbeatAck',
  'Metrics',
  'CommandAck',
  'CommandResult',
];

const snake = (name) => name.replace(/[a-z][A-Z]/g, (m) => `${m[0]}_${m[1]}`).toLowerCase();
const camel = (name) => name.replace(/_([a-z])/g, (_, c) => c.toUpperCase());

function renameType(type, style) {
  if (style === 'snake') return snake(type);
  return style === 'camel' ? type[0].toLowerCase() + type.slice(1) : type;
}

function renameFields(value, style) {
  if (style !== 'camel' || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renameFields(item, style));
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [camel(k), renameFields(v, style)]));
}

export function codec(version) {
  const c = CODECS[version];
  const types = new Map(TYPES.map((type) => [renameType(type, c.types), type]));

  function encode(type, fields) {
    let body = { ...fields };
    if (type === 'Command') {
      const { command_id: id, ...rest } = body;
      body = c.idLast ? { ...rest, [c.commandIdKey]: id } : { [c.commandIdKey]: id, ...rest };
    }
    body = renameFields(body, c.fields);
    const name = renameType(type, c.types);
    if (c.tagging === 'internal') return JSON.stringify({ type: name, ...body });
    if (c.tagging === 'adjacent') return JSON.stringify({ type: name, [c.content]: body });
    return JSON.stringify({ [name]: body });
  }

  function decode(text) {
    const message = JSON.parse(text);
    const [name, body] =
      c.tagging === 'external'
        ? Object.entries(message)[0]
        : [message.type, c.tagging === 'adjacent' ? message[c.content] : message];
    const type = types.get(name);
    const id = type === 'Command' ? body[renameFieldKey(c.commandIdKey)] : body[renameFieldKey('command_id')];
    return { type, body, id, agentId: body[renameFieldKey('agent_id')] };
  }

  const renameFieldKey = (key) => (c.fields === 'camel' ? camel(key) : key);
  return { encode, decode, attemptKey: renameFieldKey('delivery_attempt') };
}

/** The type, command ID and agent in a message of any of the encodings: for the relay, which knows no version. */
export function sniff(text) {
  for (const version of ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7']) {
    try {
      const { type, body, id } = codec(version).decode(text);
      if (type) return { type, id: id ?? body.commandId, agentId: body.agent_id ?? body.agentId };
    } catch {
      // not this encoding
    }
  }
  return {};
}

/** The messages in one: a JSON array or JSON lines, as a gateway makes them of several; of any other text, itself. */
export function partsOf(text) {
  if (text.startsWith('[')) return JSON.parse(text).map((each) => JSON.stringify(each));
  return text.trimEnd().split('\n');
}
