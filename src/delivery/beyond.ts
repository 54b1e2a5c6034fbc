/**
 * What lies beyond the outermost captured leg: the agent, or a hop that nobody captured. In: the paths. Out: delivery/ says `reached-agent` only
 * where nothing shows the latter (SPEC.md: without --path the hops given are the whole path, unless the leg's own handshake shows that it goes on).
 */

import type { ObservedConnection, RecordAlignment } from '../hop/observation.js';
import { isLoopback, type Path, plainAddress } from '../path/path.js';

/** What hosts write into a packet's Time to Live or Hop Limit: what still has it, no router has forwarded. */
const INITIAL_HOP_LIMITS: ReadonlySet<number> = new Set([64, 128, 255]);

const UNCAPTURED = 'the opening of this leg, which would tell, was not captured';

interface Client {
  agents: Set<string>;
  /** An opening of its names another address as the client; an opening of its names none. */
  forwards: boolean;
  speaksForItself: boolean;
  /** A packet of its was forwarded by a router. */
  routed: boolean;
}

export class Beyond {
  /** By client address: what its connections to the outermost hop say together. */
  private readonly clients = new Map<string, Client>();

  constructor(
    paths: readonly Path[],
    private readonly outermost: number,
  ) {
    for (const path of paths) {
      const connection = path.legs[outermost]?.connection;
      if (connection === undefined) continue;
      const { clientAddress, fromClient, handshake } = connection;
      const client = this.clients.get(clientAddress) ?? newClient();
      if (path.agent !== null) client.agents.add(path.agent);
      client.forwards ||= forwards(connection);
      client.speaksForItself ||= handshake !== null && !forwards(connection);
      client.routed ||= fromClient.packets > 0 && !INITIAL_HOP_LIMITS.has(fromClient.hopLimit);
      this.clients.set(clientAddress, client);
    }
  }

  /**
   * The address that the outermost leg's client is not: forwarded headers on it name another one, so the path goes on
   * beyond it. Null where the outermost hop's client is the agent as far as anything shows.
   */
  goesOnTo(path: Path): string | null {
    const connection = path.legs[this.outermost]?.connection;
    if (connection === undefined) return null;
    const { alignment, clientAddress, handshake } = connection;
    if (alignment !== null) return goesOnPast(connection, alignment) ? clientAddress : null;
    if (handshake !== null) return forwards(connection) ? clientAddress : null;
    return this.mayBeProxy(path) === null ? null : clientAddress;
  }

  /** In words, as a relative clause: what makes the outermost leg's client a proxy, or leaves open that it is one, where the leg's opening was not captured. */
  mayBeProxy(path: Path): string | null {
    const connection = path.legs[this.outermost]?.connection;
    if (connection === undefined) return null;
    const { clientAddress } = connection;
    // A client on the server's own host is taken for a proxy; the same client's other connections tell what it is.
    if (isLoopback(clientAddress))
      return `which is an address of the hop's own host: a proxy, or an agent that runs there; ${UNCAPTURED}`;
    const named = this.namedFurtherIn(path, clientAddress);
    if (named !== null)
      return named > 0 ? 'which is a proxy: the next leg inward names another client before it' : null;
    const client = this.clients.get(clientAddress);
    if (client === undefined) return null;
    if (client.forwards)
      return `which seems to be a proxy: other connections from it were opened for other clients; ${UNCAPTURED}`;
    if (!this.isOneHost(path, connection)) return null;
    const { hopLimit } = connection.fromClient;
    return `which may be a proxy, or one host of several agents (name all hops with --path then): ${client.agents.size} agents come from it, and no router stands between (TTL ${hopLimit}); ${UNCAPTURED}`;
  }

  /** In words, what shows that the path goes on there; null where `goesOnTo` is. */
  goesOnBecause(path: Path): string | null {
    const connection = path.legs[this.outermost]?.connection;
    if (connection === undefined || this.goesOnTo(path) === null) return null;
    const { alignment, clientAddress, handshake } = connection;
    const named = (addresses: readonly string[] | undefined) =>
      `the request that opened this connection names ${addresses?.find((each) => plainAddress(each) !== plainAddress(clientAddress)) ?? 'another address'} as the client before it`;
    if (alignment !== null) return named(alignment.plain.handshake?.forwardedFor);
    if (handshake !== null) return named(handshake.forwardedFor);
    if (isLoopback(clientAddress)) return "it connects from the hop's own host";
    if (this.namedFurtherIn(path, clientAddress) !== null)
      return `the request that opened the next connection inward names ${path.legs[this.outermost - 1]?.connection.handshake?.forwardedFor[0]} as the client before it`;
    const client = this.clients.get(clientAddress);
    if (client?.forwards)
      return 'the requests that opened other connections from it name other addresses as the clients';
    return `${client?.agents.size} agents connect from it, and no router stands between`;
  }

  /**
   * Where the next leg inward names the outermost leg's client: its hop wrote it behind all that it was told. First of them, and there is nobody before
   * it; null where that leg's opening was not captured, or names others only.
   */
  private namedFurtherIn({ legs }: Path, clientAddress: string): number | null {
    const handshake = legs[this.outermost - 1]?.connection.handshake;
    const at = handshake?.forwardedFor.map(plainAddress).indexOf(plainAddress(clientAddress)) ?? -1;
    return at < 0 ? null : at;
  }

  /**
   * Whom `reached-agent` takes for the agent's end though the leg's opening, which would tell, was not captured; null where it was. The
   * contract takes the hops given for the whole path then.
   */
  takenForAgent(path: Path): string | null {
    const connection = path.legs[this.outermost]?.connection;
    if (connection === undefined || connection.alignment !== null || connection.handshake !== null) return null;
    return connection.clientAddress;
  }

  /**
   * Several agents from one address, and no router between: a gateway that translates addresses is one, so these packets were made by the
   * host itself, which is then a proxy. Where TLS ends at this hop and what goes on inward is plain, it is the agents' side.
   */
  private isOneHost({ legs }: Path, { clientAddress, tls }: ObservedConnection): boolean {
    if (tls !== null && legs.some((leg) => leg !== null && leg.connection.tls === null)) return false;
    const client = this.clients.get(clientAddress);
    return client !== undefined && client.agents.size > 1 && !client.routed && !client.speaksForItself;
  }
}

function newClient(): Client {
  return { agents: new Set(), forwards: false, speaksForItself: false, routed: false };
}

/** The request that an encrypted leg carried, as the plain leg shows it: who is named before that leg's client stands beyond it. */
function goesOnPast({ clientAddress }: ObservedConnection, { plain: { handshake } }: RecordAlignment): boolean {
  return (handshake?.forwardedFor.map(plainAddress).indexOf(plainAddress(clientAddress)) ?? -1) > 0;
}

function forwards({ handshake, clientAddress }: ObservedConnection): boolean {
  const client = plainAddress(clientAddress);
  return handshake?.forwardedFor.some((address) => plainAddress(address) !== client) ?? false;
}
