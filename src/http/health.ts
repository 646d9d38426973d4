/**
 * `GET /health`: is this node up? 200 when it serves, 503 while it starts or stops, for load balancers and supervisors.
 *
 *     {"status": "ok", "version": "0.1.0", "uptimeSeconds": 12}
 */

/** Where a node is in its life. */
export type HealthStatus = "starting" | "ok" | "stopping";

export interface Health {
  readonly status: HealthStatus;
  readonly version: string;
  readonly uptimeSeconds: number;
}

/** The answer for a state of health. */
export function healthResponse(health: Health): Response {
  return Response.json(health, {
    status: health.status === "ok" ? 200 : 503,
    headers: { "cache-control": "no-store" },
  });
}
