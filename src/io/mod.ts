/** The ports to the outside, each with its real and its simulated twin: files, the network, time. */
export { type Clock, SimulatedClock, SystemClock } from "./clock.ts";
export { DenoDisk } from "./deno_disk.ts";
export { isDiskFull } from "./disk_error.ts";
export { type ByteRange, type Disk, type DiskFile, type OpenMode } from "./disk.ts";
export {
  type DiskCall,
  type DiskOperation,
  failCall,
  type FaultCode,
  type FaultPlan,
  FaultyDisk,
} from "./faulty_disk.ts";
export { type HttpHandler, type HttpListener, listenHttp } from "./http.ts";
export { isLoopback } from "./loopback.ts";
export { MemoryDisk } from "./memory_disk.ts";
export { MemoryNetwork } from "./memory_network.ts";
export { DenoMemory, type MemoryFigures, type ProcessMemory, SimulatedMemory } from "./process_memory.ts";
export { type Connection, type Listener, type Network, type PeerAddress, TcpNetwork } from "./network.ts";
