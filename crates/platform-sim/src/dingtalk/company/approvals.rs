//! Operations on approvals, and the events of them (reference dingtalk 3.4).

use serde_json::{Map, Value, json};

use super::super::events::Event;
use super::super::ids;
use super::{
    BizAction, Company, Illegal, Instance, InstanceStatus, Matter, Operation, ROOT, Task, TaskState, Verdict, forms,
};

/// What corrects another instance, and how.
pub(super) type Correction = Option<(BizAction, String)>;

impl Company {
    /// Somebody asks for something; the id of the instance comes with the events.
    ///
    /// # Errors
    /// [`Illegal`] if somebody or the leave type does not exist, or the times cannot be.
    pub fn start_approval(&mut self, originator: &str, matter: Matter) -> Result<(String, Vec<Event>), Illegal> {
        self.start(originator, matter, None)
    }

    pub(super) fn start(
        &mut self,
        originator: &str,
        matter: Matter,
        correction: Correction,
    ) -> Result<(String, Vec<Event>), Illegal> {
        self.check_matter(&matter)?;
        let member = self.present(originator)?.clone();
        let now_ms = self.tick();
        let number = self.numbers.instance;
        self.numbers.instance += 1;
        let id = ids::uuid(&format!("instance/{}/{}/{number}", self.options.seed, self.options.corp_id));
        let (action, main) = correction.map_or((BizAction::None, None), |(action, main)| (action, Some(main)));
        let instance = Instance {
            process_code: forms::process_code(&matter).to_owned(),
            category: forms::category(&matter),
            business_id: format!("{now_ms}{number:08}"),
            title: format!("{}提交的{}", member.name, forms::title(&matter)),
            originator: originator.to_owned(),
            originator_department: member.departments().next().unwrap_or(ROOT),
            created_ms: now_ms,
            finished_ms: None,
            status: InstanceStatus::Running,
            result: None,
            action,
            main: main.clone(),
            attached: Vec::new(),
            form: forms::components(self, originator, &matter),
            matter,
            tasks: Vec::new(),
            operations: vec![operation(originator, now_ms, "START_PROCESS_INSTANCE", "NONE", "")],
            cc: Vec::new(),
            deleted: false,
            readable_from_ms: now_ms.saturating_add(self.options.entity_lag_ms),
            id: id.clone(),
        };
        self.instances.insert(id.clone(), instance);
        if let Some(main) = main.and_then(|main| self.instances.get_mut(&main)) {
            main.attached.push(id.clone());
        }
        let approver = self.approver(&member.userid);
        let task = self.add_task(&id, &approver, now_ms);
        let mut events = self.tell_instance(&id, "start", now_ms);
        events.extend(self.tell_task(&id, task, "start", &Map::new(), now_ms));
        Ok((id, events))
    }

    /// The approvers decide. Agreed to, it takes effect; the event is `finish` either way.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist or is not running.
    pub fn decide(&mut self, id: &str, verdict: Verdict) -> Result<Vec<Event>, Illegal> {
        self.running(id)?;
        let now_ms = self.tick();
        let (state, word, remark) = match verdict {
            Verdict::Agree => (TaskState::Agreed, "AGREE", "同意"),
            Verdict::Refuse => (TaskState::Refused, "REFUSE", "不同意"),
        };
        let tasks = self.end_tasks(id, state, now_ms);
        let instance = self.running(id)?;
        instance.status = InstanceStatus::Completed;
        instance.result = Some(verdict);
        instance.finished_ms = Some(now_ms);
        for task in &tasks {
            instance.operations.push(operation(&task.userid, now_ms, "EXECUTE_TASK_NORMAL", word, remark));
        }
        let mut events = Vec::new();
        let said = fields([("result", json!(verdict.name())), ("remark", json!(remark))]);
        for task in tasks {
            events.extend(self.tell_task(id, task.id, "finish", &said, now_ms));
        }
        events.extend(self.tell_instance(id, "finish", now_ms));
        if verdict == Verdict::Agree {
            events.extend(self.take_effect(id, now_ms));
        }
        Ok(events)
    }

    /// The originator withdraws it.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist or is not running.
    pub fn terminate(&mut self, id: &str) -> Result<Vec<Event>, Illegal> {
        self.running(id)?;
        let now_ms = self.tick();
        let tasks = self.end_tasks(id, TaskState::Canceled, now_ms);
        let instance = self.running(id)?;
        instance.status = InstanceStatus::Terminated;
        instance.finished_ms = Some(now_ms);
        let who = instance.originator.clone();
        instance.operations.push(operation(&who, now_ms, "TERMINATE_PROCESS_INSTANCE", "NONE", ""));
        let mut events = self.tell_instance(id, "terminate", now_ms);
        for task in tasks {
            events.extend(self.tell_task(id, task.id, "cancel", &Map::new(), now_ms));
        }
        Ok(events)
    }

    /// It is deleted, whatever it came to; what it brought about is taken back.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist any more.
    pub fn delete(&mut self, id: &str) -> Result<Vec<Event>, Illegal> {
        self.known(id)?;
        let now_ms = self.tick();
        self.take_back(id, now_ms);
        let events = self.tell_instance(id, "delete", now_ms);
        self.known(id)?.deleted = true;
        Ok(events)
    }

    /// The approver hands the task over to somebody else.
    ///
    /// # Errors
    /// [`Illegal`] if it is not running or there is no such member.
    pub fn redirect(&mut self, id: &str, to: &str) -> Result<Vec<Event>, Illegal> {
        self.present(to)?;
        self.running(id)?;
        let now_ms = self.tick();
        let tasks = self.end_tasks(id, TaskState::Redirected, now_ms);
        let mut events = Vec::new();
        for task in tasks {
            let done = operation(&task.userid, now_ms, "REDIRECT_TASK", "NONE", "");
            self.running(id)?.operations.push(done);
            events.extend(self.tell_task(id, task.id, "finish", &fields([("result", json!("redirect"))]), now_ms));
        }
        let task = self.add_task(id, to, now_ms);
        events.extend(self.tell_task(id, task, "start", &Map::new(), now_ms));
        Ok(events)
    }

    /// Somebody comments on it.
    ///
    /// # Errors
    /// [`Illegal`] if it or the member does not exist.
    pub fn comment(&mut self, id: &str, who: &str, text: &str) -> Result<Vec<Event>, Illegal> {
        self.present(who)?;
        let last = self.known(id)?.tasks.last().map(|task| task.id);
        let now_ms = self.tick();
        self.known(id)?.operations.push(operation(who, now_ms, "ADD_REMARK", "NONE", text));
        let said = fields([("remark", json!(text)), ("staffId", json!(who))]);
        Ok(last.map(|task| self.tell_task(id, task, "comment", &said, now_ms)).unwrap_or_default())
    }

    pub(super) fn known(&mut self, id: &str) -> Result<&mut Instance, Illegal> {
        let instance = self.instances.get_mut(id).filter(|instance| !instance.deleted);
        instance.ok_or_else(|| Illegal::UnknownInstance(id.to_owned()))
    }

    fn running(&mut self, id: &str) -> Result<&mut Instance, Illegal> {
        let instance = self.known(id)?;
        if instance.status == InstanceStatus::Running { Ok(instance) } else { Err(Illegal::NotRunning(id.to_owned())) }
    }

    /// The superior, else a manager of a department above, else the member.
    fn approver(&self, userid: &str) -> String {
        let Some(member) = self.members.get(userid) else { return userid.to_owned() };
        if !member.manager.is_empty() {
            return member.manager.clone();
        }
        let mut above = member.departments().flat_map(|department| self.line_up(department));
        let manager = above.find_map(|id| self.departments.get(&id)?.managers.iter().find(|one| *one != userid));
        manager.cloned().unwrap_or_else(|| userid.to_owned())
    }

    fn add_task(&mut self, id: &str, approver: &str, now_ms: i64) -> i64 {
        let number = self.numbers.task;
        self.numbers.task += 1;
        if let Some(instance) = self.instances.get_mut(id) {
            instance.tasks.push(Task {
                id: number,
                userid: approver.to_owned(),
                state: TaskState::Running,
                created_ms: now_ms,
                finished_ms: None,
                activity_id: format!("a1b2_{number:x}"),
            });
        }
        number
    }

    /// Ends all running tasks, and returns them.
    fn end_tasks(&mut self, id: &str, state: TaskState, now_ms: i64) -> Vec<Task> {
        let tasks = self.instances.get_mut(id).map(|instance| &mut instance.tasks);
        let running = tasks.into_iter().flatten().filter(|task| task.state == TaskState::Running);
        running
            .map(|task| {
                task.state = state;
                task.finished_ms = Some(now_ms);
                task.clone()
            })
            .collect()
    }

    /// `bpms_instance_change`, and for attendance the other event that tells of it (reference dingtalk 6.1).
    fn tell_instance(&mut self, id: &str, kind: &str, now_ms: i64) -> Vec<Event> {
        let Some(instance) = self.instances.get(id) else { return Vec::new() };
        let mut data = common(instance);
        data.insert("type".to_owned(), json!(kind));
        data.insert("staffId".to_owned(), json!(instance.originator));
        data.insert("createTime".to_owned(), json!(instance.created_ms));
        data.insert("url".to_owned(), json!(format!("https://aflow.dingtalk.com/x?procInstId={id}&from=bridge")));
        if let (Some(finished_ms), true) = (instance.finished_ms, kind != "start") {
            data.insert("finishTime".to_owned(), json!(finished_ms));
        }
        if let (Some(verdict), "finish") = (instance.result, kind) {
            data.insert("result".to_owned(), json!(verdict.name()));
        }
        let main = instance.main.clone().unwrap_or_else(|| id.to_owned());
        let process_code = instance.process_code.clone();
        let approve_type = forms::approve_type(&instance.matter).filter(|_type| self.options.approve_status_events);
        let mut events = vec![self.raise("bpms_instance_change", now_ms, Value::Object(data))];
        if let Some(approve_type) = approve_type {
            let data = json!({"approveType": approve_type, "processInstanceId": id, "mainProcessInstanceId": main,
                "processCode": process_code, "corpId": self.options.corp_id, "status": kind});
            events.push(self.raise("attendance_approve_status_change", now_ms, data));
        }
        events
    }

    /// `bpms_task_change`, with what else is to be said.
    fn tell_task(&mut self, id: &str, task: i64, kind: &str, said: &Map<String, Value>, now_ms: i64) -> Vec<Event> {
        let Some(instance) = self.instances.get(id) else { return Vec::new() };
        let Some(task) = instance.tasks.iter().find(|known| known.id == task) else { return Vec::new() };
        let mut data = common(instance);
        data.insert("taskId".to_owned(), json!(task.id));
        data.insert("type".to_owned(), json!(kind));
        data.insert("staffId".to_owned(), json!(task.userid));
        data.insert("createTime".to_owned(), json!(task.created_ms));
        data.insert("activityId".to_owned(), json!(task.activity_id));
        data.insert("activityName".to_owned(), json!("直接主管"));
        if kind != "start" {
            data.insert("finishTime".to_owned(), json!(now_ms));
            data.insert("actualActionerId".to_owned(), json!(task.userid));
            data.insert("agentActionerIds".to_owned(), json!([]));
        }
        data.extend(said.clone());
        vec![self.raise("bpms_task_change", now_ms, Value::Object(data))]
    }
}

/// What both events of approvals say.
fn common(instance: &Instance) -> Map<String, Value> {
    fields([
        ("processInstanceId", json!(instance.id)),
        ("processCode", json!(instance.process_code)),
        ("bizCategoryId", json!(instance.category)),
        ("businessId", json!(instance.business_id)),
        ("businessType", json!("")),
        ("title", json!(instance.title)),
    ])
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn operation(userid: &str, at_ms: i64, kind: &'static str, result: &'static str, remark: &str) -> Operation {
    Operation { userid: userid.to_owned(), at_ms, kind, result, remark: remark.to_owned() }
}
