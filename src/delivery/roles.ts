/**
 * Which messages are commands, CommandAcks and results: by the profile's names, and, where no name is familiar and the profile
 * learns, by IDs that the server sends and the agent sends back. In: observations. Out: role and ID of a row.
 */

import type { HopObservation } from '../hop/observation.js';
import { type Profile, Role, type RoleNumber, RoleTable } from '../message/profile.js';
import { type LearnedKeys, learn, rowsFromServer } from './learn.js';

export interface RowMeaning {
  role: RoleNumber;
  /** Interned in the observation's strings; -1 for none. */
  id: number;
}

export class Meanings {
  private readonly roles: RoleTable;
  private readonly byType: RoleNumber[][] = [];
  /** By hop: rows of learned types, with role and ID. */
  private readonly learned: Map<number, RowMeaning>[] = [];
  /** What was learned, in words for the user; null where nothing had to be. */
  readonly learnedFrom: LearnedKeys | null;

  constructor(profile: Profile, observations: readonly (HopObservation | null)[]) {
    this.roles = new RoleTable(profile);
    const keys =
      profile.learn && !observations.some((each) => each !== null && this.hasCommands(each))
        ? learn(observations)
        : null;
    this.learnedFrom = keys;
    observations.forEach((observation, hop) => {
      this.byType[hop] = [];
      this.learned[hop] = new Map();
      if (keys === null || observation === null) return;
      const { candidates, strings } = observation;
      const fromServer = rowsFromServer(observation);
      for (let i = 0; i < candidates.count; i++) {
        const roles = fromServer[candidates.row[i]] === 1 ? keys.fromServer : keys.fromClient;
        const role = roles.get(strings.text(candidates.key[i]));
        if (role !== undefined) this.learned[hop].set(candidates.row[i], { role, id: candidates.value[i] });
      }
    });
  }

  private readonly meaning: RowMeaning = { role: Role.other, id: -1 };

  /** Quick: rows without an ID are most, Pings among them. */
  mayHave(hop: number, { messages }: HopObservation, row: number): boolean {
    return messages.id[row] >= 0 || this.learned[hop].size > 0;
  }

  /** Valid until the next call. */
  of(hop: number, observation: HopObservation, row: number): RowMeaning | null {
    const { messages } = observation;
    const learned = this.learned[hop].get(row);
    if (learned !== undefined) return learned;
    const type = messages.type[row];
    if (type < 0 || messages.id[row] < 0) return null;
    let role = this.byType[hop][type];
    if (role === undefined) {
      role = this.roles.roleOf(observation.strings.text(type));
      this.byType[hop][type] = role;
    }
    if (role !== Role.command && role !== Role.commandAck && role !== Role.result) return null;
    this.meaning.role = role;
    this.meaning.id = messages.id[row];
    return this.meaning;
  }

  private hasCommands(observation: HopObservation): boolean {
    const { messages, strings } = observation;
    const types = new Set<number>();
    for (let row = 0; row < messages.count; row++) if (messages.id[row] >= 0) types.add(messages.type[row]);
    types.delete(-1);
    return [...types].some((type) => this.roles.roleOf(strings.text(type)) === Role.command);
  }
}
