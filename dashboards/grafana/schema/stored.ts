// Stored is what a dashboard's file may have where Grafana's code has a T: the
// text of an enum in place of its member, null for undefined, and not every field
// of an object, since Grafana fills in those of the defaults that are missing. It
// takes lists as they are, so that what is in one must be whole.
export type Stored<T> = 0 extends 1 & T
  ? unknown // T is any
  : T extends undefined
    ? null | undefined
    : T extends string
      ? `${T}`
      : T extends readonly (infer E)[]
        ? Whole<E>[]
        : T extends object
          ? { [K in keyof T]?: Stored<T[K]> }
          : T

// Whole is Stored, but for the fields of an object that T requires, which it
// requires, too.
export type Whole<T> = T extends readonly unknown[] ? Stored<T> : T extends object ? { [K in keyof T]: Stored<T[K]> } : Stored<T>

// PrometheusMark is what an annotation by Prometheus has besides the fields of all
// annotations. Later versions move expr and step into the target as they read
// them; Grafana 9.3 knows them only here.
export interface PrometheusMark {
  expr?: string
  step?: string
  titleFormat?: string
  textFormat?: string
  tagKeys?: string
}
