/** A parsed pipeline: its stages in order, each a readonly plain object with a `kind`. */
export interface Pipeline {
  readonly stages: readonly Stage[];
}

/** To be widened: one member a stage, each defined in its own file under `stage/`. */
export interface Stage {
  readonly kind: string;
}
