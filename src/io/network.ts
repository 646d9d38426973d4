/** The port to the network: listeners and byte streams. */
export interface Network {
  /** Listens for connections. @throws the platform's error, such as an address in use. */
  listen(hostname: string, port: number): Listener;
}

export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: PeerAddress;
  /** The next connection; undefined once the listener is closed. */
  accept(): Promise<Connection | undefined>;
  close(): void;
}

export interface PeerAddress {
  readonly hostname: string;
  readonly port: number;
}

/** One byte stream, in both directions. */
export interface Connection {
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  /** Reads some bytes; their count, or null when the peer has closed. */
  read(target: Uint8Array): Promise<number | null>;
  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends both directions; pending calls end. */
  close(): void;
}

/** TCP on this machine. */
export class TcpNetwork implements Network {
  listen(hostname: string, port: number): Listener {
    return new TcpListener(Deno.listen({ hostname, port, transport: "tcp" }));
  }
}

class TcpListener implements Listener {
  constructor(private readonly listener: Deno.TcpListener) {}

  get address(): PeerAddress {
    return this.listener.addr;
  }

  async accept(): Promise<Connection | undefined> {
    try {
      return new TcpConnection(await this.listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return undefined;
      }
      throw error;
    }
  }

  close(): void {
    this.listener.close();
  }
}

class TcpConnection implements Connection {
  private closed = false;

  constructor(private readonly connection: Deno.TcpConn) {
    connection.setNoDelay(true);
  }

  get remote(): PeerAddress {
    return this.connection.remoteAddr;
  }

  get local(): PeerAddress {
    return this.connection.localAddr;
  }

  read(target: Uint8Array): Promise<number | null> {
    return this.connection.read(target);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.connection.write(bytes.subarray(written));
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.close();
  }
}
