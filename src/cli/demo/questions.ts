/** A question that the demo answers from the file it made, as SQL over the loaded tables. */
export interface Question {
  readonly title: string;
  /** `{schema}` stands for the quoted schema. */
  readonly sql: string;
  /** Drawn as a curve over the first column instead of a table. */
  readonly chart?: true;
}

/** What counts as falling for a test; opening the mail does not. */
const FAILED = `coalesce(clicked_at, replied_at, attachment_opened_at, macro_enabled_at, data_entered_at, qr_code_scanned) is not null`;

/** Three things that a security-awareness team asks first. */
export const QUESTIONS: readonly Question[] = [
  {
    title: "Who clicks again and again?",
    sql: `
      select u.first_name || ' ' || u.last_name as person, u.department,
             count(*) as tests,
             count(*) filter (where ${FAILED}) as failed,
             count(*) filter (where r.reported_at is not null) as reported,
             round(u.current_risk_score, 1)::varchar as risk
      from {schema}.security_test_recipients r
      join {schema}.users u on u.id = r.user_id
      where u.status = 'active'
      group by all
      having failed >= 3
      order by failed desc, reported, person
      limit 8`,
  },
  {
    title: "Which departments are late in training?",
    sql: `
      select u.department,
             count(distinct u.id) as people,
             count(*) as assignments,
             count(*) filter (where e.status = 'Past Due') as overdue,
             printf('%.0f %%', 100.0 * count(*) filter (where e.status = 'Passed') / count(*)) as passed
      from {schema}.enrollments e
      join {schema}.users u on u.id = e.user_id
      where u.status = 'active' and u.department is not null
      group by u.department
      order by overdue / assignments desc, u.department
      limit 8`,
  },
  {
    title: "How did the risk score move? (account, monthly mean)",
    chart: true,
    sql: `
      select strftime(min(date), '%b') as month, round(avg(risk_score), 2) as score
      from {schema}.risk_score_history
      group by date_trunc('month', date)
      order by min(date) desc
      limit 12`,
  },
];
