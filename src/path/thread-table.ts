/**
 * Messages followed over the hops: for each thread its row in every hop's message table, -1 where it was not seen there.
 * One flat array of numbers: a capture may hold hundreds of thousands. In: build-paths.ts. Out: delivery/.
 */

export class ThreadTable {
  count = 0;
  private rows: Int32Array;
  /** By hop: rows that were read only in part, and whole at another hop. */
  private readonly known: (Set<number> | undefined)[] = [];
  private doubted = false;
  /** By hop: gaps and blind spans that another hop read. */
  private readonly explained: (Set<object> | undefined)[] = [];

  constructor(readonly hops: number) {
    this.rows = new Int32Array(16 * hops);
  }

  /** Of a path with one leg: every row of it is a thread. Takes the rows as they are where there is one hop. */
  static ofOneHop(rows: Int32Array): ThreadTable {
    const table = new ThreadTable(1);
    table.rows = rows;
    table.count = rows.length;
    return table;
  }

  /** A new thread, seen nowhere yet. */
  add(): number {
    if ((this.count + 1) * this.hops > this.rows.length) {
      const rows = new Int32Array(this.rows.length * 2);
      rows.set(this.rows);
      this.rows = rows;
    }
    this.rows.fill(-1, this.count * this.hops, (this.count + 1) * this.hops);
    return this.count++;
  }

  row(thread: number, hop: number): number {
    return this.rows[thread * this.hops + hop];
  }

  /** The thread of a row of a hop; -1 for none. */
  threadOf(hop: number, row: number): number {
    for (let thread = 0; thread < this.count; thread++) if (this.row(thread, hop) === row) return thread;
    return -1;
  }

  /** Whether a row of a hop may belong to this thread as well: no hop tells the two apart. */
  mayHold(thread: number, hop: number, row: number): boolean {
    for (let other = 0; other < this.count; other++)
      if (this.row(other, hop) === row) return other === thread || !this.areTwo(thread, other);
    return true;
  }

  private areTwo(a: number, b: number): boolean {
    for (let hop = 0; hop < this.hops; hop++) if (this.row(a, hop) >= 0 && this.row(b, hop) >= 0) return true;
    return false;
  }

  know(hop: number, row: number): void {
    this.known[hop] ??= new Set();
    this.known[hop].add(row);
  }

  /** Whether another hop tells what a row is of which this one has only a part. */
  isKnown(hop: number, row: number): boolean {
    return this.known[hop]?.has(row) ?? false;
  }

  /**
   * Copies of one message may have been taken for each other between two hops: captures lost octets, and nothing proves how the streams
   * agree. What was mistaken there is mistaken further on, too.
   */
  doubt(): void {
    this.doubted = true;
  }

  get isDoubted(): boolean {
    return this.doubted;
  }

  /** Another hop tells all that stands in a span that this one could not read. */
  explain(hop: number, span: object): void {
    this.explained[hop] ??= new Set();
    this.explained[hop].add(span);
  }

  isExplained(hop: number, span: object): boolean {
    return this.explained[hop]?.has(span) ?? false;
  }

  /** Two threads that are one message: false where both have a row at one hop. The first one is left empty. */
  merge(thread: number, into: number): boolean {
    if (this.areTwo(thread, into)) return false;
    for (let hop = 0; hop < this.hops; hop++) {
      if (this.row(thread, hop) < 0) continue;
      this.set(into, hop, this.row(thread, hop));
      this.set(thread, hop, -1);
    }
    return true;
  }

  set(thread: number, hop: number, row: number): void {
    this.rows[thread * this.hops + hop] = row;
  }

  /** The same threads, the hops in another order: hop indices by place. */
  inOrder(order: readonly number[]): ThreadTable {
    return new InOrder(this, order);
  }
}

class InOrder extends ThreadTable {
  constructor(
    private readonly of: ThreadTable,
    private readonly order: readonly number[],
  ) {
    super(order.length);
    this.count = of.count;
  }

  override row(thread: number, place: number): number {
    return this.of.row(thread, this.order[place]);
  }

  override get isDoubted(): boolean {
    return this.of.isDoubted;
  }

  override isKnown(place: number, row: number): boolean {
    return this.of.isKnown(this.order[place], row);
  }
}
